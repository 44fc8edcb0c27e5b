import cv2
import numpy as np
import pytest

from facenet_tf.curation import sheets
from facenet_tf.curation.sheets import SheetLine, write_sheets


@pytest.fixture
def grey_levels(monkeypatch):
    """Records are flat grey crops whose level is their number."""

    def crops(dataset, records, batch_size):
        yield np.stack([np.full((32, 32, 1), record, np.uint8) for record in records])

    monkeypatch.setattr(sheets, "evaluation_arrays", crops)


def lines(count):
    return [
        SheetLine(f"line {number} \u00e9", 200, np.arange(10, 16), np.array([30, 31]))
        for number in range(count)
    ]


def test_face_then_given_then_proposed(grey_levels, tmp_path):
    (path,) = write_sheets(tmp_path, None, lines(1), 5)
    sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    levels = sheet[sheet.shape[0] - 50]
    order = [int(level) for level in levels[np.flatnonzero(np.diff(levels, prepend=0))]]
    assert [level for level in order if level != 255] == [200, 10, 11, 12, 13, 30, 31]
    assert (sheet[: sheets._TEXT] < 128).any()  # the caption


def test_pages(grey_levels, tmp_path):
    assert write_sheets(tmp_path, None, lines(3), 0) == []
    assert write_sheets(tmp_path, None, [], 3) == []
    written = write_sheets(tmp_path, None, lines(2 * sheets.LINES + 1), 2)
    assert [path.name for path in written] == ["sheet-001.png", "sheet-002.png"]
    heights = [cv2.imread(str(path)).shape[0] for path in written]
    assert heights[0] == heights[1]
