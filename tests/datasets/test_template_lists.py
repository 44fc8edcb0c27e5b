import tracemalloc

import numpy as np
import pytest

from facenet_tf.datasets.template_lists import read_members, read_qualities, read_template_pairs
from facenet_tf.errors import InputError

HEAD = "TEMPLATE_ID,SUBJECT_ID,FILENAME,SIGHTING_ID,FACE_X,FACE_Y\n"
GALLERY = (
    HEAD + "1,70,img/5.jpg,1,0,0\n1,70,frames/8_0001.png,2,0,0\n1,70,frames/8_0002.png,2,0,0\n"
)
PROBES = HEAD + "2,70,img/6.jpg,3,0,0\n3,71,img/7.jpg,4,0,0\n"


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_lists_of_insightface(tmp_path):
    path = write(tmp_path, "ijbc_face_tid_mid.txt", "1.jpg 1 69544\n2.jpg 1 3720\n3.jpg 9 3720\n")
    members = read_members([path])
    assert members.keys == ["1.jpg", "2.jpg", "3.jpg"]
    assert members.template.tolist() == [1, 1, 9]
    assert members.medium.tolist() == ["69544", "3720", "3720"]
    pairs = read_template_pairs(write(tmp_path, "p.txt", "1 9 1\n9 1 0\n"), members)
    assert (pairs.left.tolist(), pairs.right.tolist()) == ([1, 9], [9, 1])
    assert pairs.genuine.tolist() == [True, False]


def test_lists_of_nist(tmp_path):
    files = [write(tmp_path, "gallery.csv", GALLERY), write(tmp_path, "probes.csv", PROBES)]
    members = read_members(files)
    assert members.template.tolist() == [1, 1, 1, 2, 3]
    assert members.medium.tolist() == ["img/5", "frames/8", "frames/8", "img/6", "img/7"]
    assert members.subject == {1: "70", 2: "70", 3: "71"}
    pairs = read_template_pairs(write(tmp_path, "matches.csv", "1,2\n1,3\n"), members)
    assert pairs.genuine.tolist() == [True, False]


def test_pairs_are_not_held_as_objects(tmp_path):
    """20,000 pairs as lists of words would take some 5 MB."""
    members = read_members([write(tmp_path, "m.txt", "1.jpg 1 5\n2.jpg 9 5\n")])
    path = write(tmp_path, "p.txt", "1 9 1\n\n9 1 0\n" * 10_000)
    tracemalloc.start()
    try:
        pairs = read_template_pairs(path, members)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(pairs.left) == len(pairs.right) == 20_000
    assert pairs.left.dtype == np.int64 and pairs.genuine.dtype == bool
    assert pairs.genuine.tolist() == [True, False] * 10_000
    assert peak < 100 * 20_000


def test_media_that_are_named(tmp_path):
    text = "TEMPLATE_ID,SUBJECT_ID,FILE,MEDIA_ID\n1,2,img/1.jpg,55\n"
    assert read_members([write(tmp_path, "a.csv", text)]).medium.tolist() == ["55"]


def test_qualities(tmp_path):
    path = write(tmp_path, "ijbc_name_5pts_score.txt", "1.jpg 30 40 50.5 0.9\n2.jpg 1 2 3 0.25\n")
    np.testing.assert_array_equal(read_qualities(path, ["2.jpg", "1.jpg"]), [0.25, 0.9])
    table = write(tmp_path, "q.csv", "key,quality\n1.jpg,0.5\n")
    assert read_qualities(table, ["1.jpg"]).tolist() == [0.5]
    for text in ("1.jpg nan\n", "1.jpg -1\n", "other.jpg 1\n"):
        with pytest.raises(InputError, match=r"1\.jpg has no quality"):
            read_qualities(write(tmp_path, "bad.txt", text), ["1.jpg"])
    with pytest.raises(InputError, match="line 2"):
        read_qualities(write(tmp_path, "bad.txt", "1.jpg 1\n2.jpg good\n"), ["1.jpg"])


BAD_MEMBERS = {
    "empty": ("", "empty"),
    "two words": ("1.jpg 1\n", "line 1"),
    "no number": ("1.jpg 1 2\n2.jpg one 2\n", "line 2"),
    "a number of 64 bits": (f"1.jpg 1 2\n2.jpg {2**63} 2\n", "line 2: expected PICTURE TEMPLATE"),
    "a number of 64 bits below a head": (f"{HEAD}{2**63},70,a.jpg,1,0,0\n", "line 2"),
    "a head alone": (HEAD, "has a head and no pictures"),
    "no file": ("TEMPLATE_ID,SUBJECT_ID,AGE\n1,2,3\n", "lacks FILENAME"),
    "no subject": ("TEMPLATE_ID,FILENAME,AGE\n1,a.jpg,3\n", "lacks FILENAME or SUBJECT_ID"),
    "a short line": (HEAD + "1,70\n", "line 2"),
    "two subjects": (HEAD + "1,70,a.jpg,1,0,0\n1,71,b.jpg,1,0,0\n", "line 3.*two subjects"),
}


@pytest.mark.parametrize(("text", "said"), BAD_MEMBERS.values(), ids=BAD_MEMBERS)
def test_bad_members_are_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read_members([write(tmp_path, "members", text)])


def test_files_that_contradict_each_other(tmp_path):
    other = write(tmp_path, "other.csv", PROBES.replace("2,70", "1,99"))
    with pytest.raises(InputError, match="template 1 shows another subject"):
        read_members([write(tmp_path, "gallery.csv", GALLERY), other])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 7 1\n", "template 7 has no pictures"),
        ("1 9 2\n", "line 1"),
        ("1\n", "line 1"),
        ("1 9 1\n1,9\n", "line 2"),
        ("1 9\n", "no label"),
    ],
)
def test_bad_pairs_are_refused(tmp_path, text, said):
    members = read_members([write(tmp_path, "m.txt", "1.jpg 1 5\n2.jpg 9 5\n")])
    with pytest.raises(InputError, match=said):
        read_template_pairs(write(tmp_path, "p.txt", text), members)
