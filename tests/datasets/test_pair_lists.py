import numpy as np
import pytest

from facenet_tf.datasets.lfw import read_pairs
from facenet_tf.datasets.pair_lists import read_cfp, read_list
from facenet_tf.errors import InputError


def write(tmp_path, text, name="pairs.txt"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


LFW = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nCy\t1\t3\nCy\t2\tBob\t1\n"


def test_lfw(tmp_path):
    path = write(tmp_path, LFW)
    found, expected = read_list(path), read_pairs(path)
    assert (found.left, found.right) == (expected.left, expected.right)
    assert found.fold.tolist() == [0, 0, 1, 1]


def test_calfw_has_the_fold_of_genuine_pairs_and_0_for_the_others(tmp_path):
    text = "Ann_0001.jpg 1\nAnn_0002.jpg 1\nCy_0001.jpg 10\nCy_0003.jpg 10\n"
    found = read_list(write(tmp_path, text + "Ann_0001.jpg 0\nBob_0001.jpg 0\n"))
    assert found.left == ["Ann_0001.jpg", "Cy_0001.jpg", "Ann_0001.jpg"]
    assert found.right == ["Ann_0002.jpg", "Cy_0003.jpg", "Bob_0001.jpg"]
    assert found.genuine.tolist() == [True, True, False]
    assert found.fold.tolist() == [0, 0, 0]


@pytest.mark.parametrize("between", [" ", "\t", ",", " , "])
def test_a_line_for_each_pair(tmp_path, between):
    rows = [("./a/1.jpg", "a\\2.jpg", "1"), ("../x/a/1.jpg", "b/1.jpg", "0")]
    text = "\ufeff" + "\r\n".join(between.join(row) for row in rows)
    found = read_list(write(tmp_path, text))
    assert found.left == ["a/1.jpg", "x/a/1.jpg"]
    assert found.right == ["a/2.jpg", "b/1.jpg"]
    assert found.genuine.tolist() == [True, False]


BAD = {
    "empty": ("", "empty"),
    "a flag": ("a b 1\na c 2\n", "line 2"),
    "a third word": ("a b 1\na c\n", "line 2"),
    "an odd number of lines": ("a 1\nb 1\nc 0\n", "line 3"),
    "two numbers in a pair": ("a 1\nb 0\n", "line 2"),
    "no number": ("a 1\nb 1\nc 0\nd x\n", "line 4"),
    "prose": ("this is no list of pairs\n", "line 1: neither a pair nor the head"),
    "a head": ("left,right,label\na,b,1\n", "line 1: .*give LFW's form, CALFW's two lines"),
    "no flag": ("a b\n", "line 1: neither a pair nor the head"),
    "counts that do not fit": ("2\t1\nAnn\t1\t2\n", "2 folds of 1 genuine .* 1 pairs follow"),
    "counts of no number": ("1\t2\t3\n", "its first line gives the folds"),
    "LFW's with a bad line": (
        LFW.replace("Bob\t1\nCy\t1", "Bob\t1\nCy\tx"),
        "line 4: .*`NAME 1 2`",
    ),
    "LFW's out of order": ("1\t1\nA\t1\tB\t1\nA\t1\t2\n", "line 2: .*one person"),
    "LFW's of one person": ("1\t1\nA\t1\t2\nA\t1\t3\n", "line 3: .*two people"),
    "a picture with itself": ("a b 1\na ./a 1\n", "line 2: a is paired with itself"),
    "itself in two lines": ("a 1\nb 1\na 0\na 0\n", "line 4: a is paired with itself"),
    "itself in LFW's": (LFW.replace("1\t3", "3\t3"), r"line 4: Cy/Cy_0003\.jpg is paired with it"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_what_is_no_list_is_refused_with_its_line(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read_list(write(tmp_path, text))


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        read_list(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_list(tmp_path / "gone.txt")


@pytest.fixture(params=["Protocol/", "Protocol/Split/"], ids=["beside", "inside"])
def cfp(tmp_path, request):
    """Two folds of two people; the lists lie beside the folder of the folds, or in it."""
    frontal = [f"{n + 1} ../Data/Images/00{1 + n // 2}/frontal/0{1 + n % 2}.jpg" for n in range(4)]
    profile = [f"{n + 1} ../Data/Images/00{1 + n // 2}/profile/0{1 + n % 2}.jpg" for n in range(4)]
    write(tmp_path, "\n".join(frontal), f"{request.param}Pair_list_F.txt")
    write(tmp_path, "\n".join(profile), f"{request.param}Pair_list_P.txt")
    for kind in ("FF", "FP"):
        for fold in ("01", "02"):
            write(tmp_path, "1,2\n3,4\n", f"Protocol/Split/{kind}/{fold}/same.txt")
            write(tmp_path, "1,4\n2,3\n", f"Protocol/Split/{kind}/{fold}/diff.txt")
    return tmp_path


@pytest.mark.parametrize(("kind", "other"), [("FF", "frontal"), ("FP", "profile")])
def test_cfp(cfp, kind, other):
    found = read_cfp(cfp, kind)
    assert found.left[:4] == [
        f"00{n}/frontal/0{k}.jpg" for n, k in [(1, 1), (2, 1), (1, 1), (1, 2)]
    ]
    assert found.right[:4] == [
        f"00{n}/{other}/0{k}.jpg" for n, k in [(1, 2), (2, 2), (2, 2), (2, 1)]
    ]
    assert found.genuine.tolist() == [True, True, False, False] * 2
    np.testing.assert_array_equal(found.fold, np.repeat([0, 1], 4))
    same = read_cfp(cfp / "Protocol", kind)
    assert (same.left, same.right) == (found.left, found.right)


def test_cfp_with_a_number_that_no_picture_has(cfp):
    write(cfp, "1,9\n", "Protocol/Split/FP/02/diff.txt")
    with pytest.raises(InputError, match=r"diff\.txt names picture 9"):
        read_cfp(cfp, "FP")
    write(cfp, "1;2\n", "Protocol/Split/FP/02/same.txt")
    with pytest.raises(InputError, match=r"same\.txt, line 1"):
        read_cfp(cfp, "FP")


def test_cfp_with_an_empty_file_or_a_picture_twice(cfp):
    write(cfp, "\n", "Protocol/Split/FF/02/same.txt")
    with pytest.raises(InputError, match=r"02.same\.txt is empty"):
        read_cfp(cfp, "FF")
    write(cfp, "1,2\n3,3\n", "Protocol/Split/FF/02/same.txt")
    with pytest.raises(InputError, match=r"02.same\.txt, line 2: .* is paired with itself"):
        read_cfp(cfp, "FF")
    assert len(read_cfp(cfp, "FP")) == 8


def test_what_is_no_folder_of_cfp(tmp_path):
    with pytest.raises(InputError, match="folder of CFP"):
        read_cfp(tmp_path, "FF")
    write(tmp_path, "1 a/b/c.jpg\n", "Pair_list_F.txt")
    with pytest.raises(InputError, match="no folds"):
        read_cfp(tmp_path, "FF")
