import cv2
import numpy as np
import pytest

from facenet_tf.records.contact_sheet import write_contact_sheet
from facenet_tf.records.framing import frame
from facenet_tf.records.rows import Row
from facenet_tf.records.schema import Record, serialize


@pytest.fixture
def shard(tmp_path):
    """Writes a shard of grey crops, one level each, and returns it with its rows."""

    def make(levels, rung="border"):
        rows, data = [], b""
        for number, level in enumerate(levels):
            _, png = cv2.imencode(".png", np.full((64, 64), level, np.uint8))
            payload = serialize(
                Record(png.tobytes(), 0, "a", str(number), "", "recovered", (0, 0, 1, 1), 1.0,
                       np.zeros((5, 2)), np.zeros((2, 3)), 0.0)
            )  # fmt: skip
            row = Row(str(number), "a", 0, "train", "", "recovered", rung=rung)
            place = {"shard": 0, "offset": len(data), "length": len(payload)}
            rows.append(Row(**{**vars(row), **place}))
            data += frame(payload)
        path = tmp_path / "shard"
        path.write_bytes(data)
        return [path], rows

    return make


def sheet(tmp_path):
    return cv2.imread(str(tmp_path / "sheet.png"), cv2.IMREAD_GRAYSCALE)


def test_tiles_line_by_line(shard, tmp_path):
    assert write_contact_sheet(tmp_path / "sheet.png", *shard(range(50, 95))) == 45
    tiles = sheet(tmp_path)[::112, ::112]
    assert tiles.shape == (3, 20)
    np.testing.assert_array_equal(tiles.reshape(-1), [*range(50, 95)] + [0] * 15)


def test_no_more_than_200_spread_over_all(shard, tmp_path):
    levels = np.arange(600) // 3
    assert write_contact_sheet(tmp_path / "sheet.png", *shard(levels)) == 200
    tiles = sheet(tmp_path)[::112, ::112].reshape(-1)
    assert len(tiles) == 200
    assert (tiles[0], tiles[-1]) == (0, 199)
    np.testing.assert_allclose(tiles, np.arange(200), atol=1)


def test_nothing_recovered_gives_no_file(shard, tmp_path):
    assert write_contact_sheet(tmp_path / "sheet.png", *shard([1, 2], rung="")) == 0
    assert not (tmp_path / "sheet.png").exists()
