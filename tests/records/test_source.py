import pytest

from facenet_tf.errors import InputError
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.source import open_source
from tests.records.fake_faces import draw_people


@pytest.fixture
def lfw(tmp_path):
    """Ann (3 pictures), Bob (2), Cy (1), Dan (2), in View 1: train, train, train, test."""
    for name, count in {"Ann": 3, "Bob": 2, "Cy": 1, "Dan": 2, "Eve": 1}.items():
        for number in range(1, count + 1):
            path = tmp_path / "images" / name / f"{name}_{number:04d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    (tmp_path / "pairs.txt").write_text("1\t1\nAnn 1 2\nAnn 1 Bob 1\n")
    (tmp_path / "peopleDevTrain.txt").write_text("3\nAnn 3\nBob 2\nCy 1\n")
    (tmp_path / "peopleDevTest.txt").write_text("1\nDan 2\n")
    (tmp_path / "people.txt").write_text("2\n2\nAnn 3\nBob 2\n2\nCy 1\nDan 2\n")
    return tmp_path


def people(config):
    return {person.name: person for person in open_source(config.resolved()).identities}


def test_folder(tmp_path):
    root = draw_people(tmp_path / "people", 4, 2)
    source = open_source(BuildConfig(root, test_people=1, validation_people=1).resolved())
    assert source.variant == "people (given directory)"
    assert [person.name for person in source.identities] == [f"person{n}" for n in range(4)]
    assert [person.split for person in source.identities] == ["train"] * 2 + ["validation", "test"]
    assert {person.pictures for person in source.identities} == {2}


def test_view1(lfw):
    config = BuildConfig(lfw / "images", source="lfw", split="lfw_view1", validation_people=1)
    found = people(config)
    assert found["Dan"].split == "test"
    assert found["Eve"].split == "unused"  # in no official list
    training = {found[name].split for name in ("Ann", "Bob", "Cy")}
    assert training == {"train", "validation"}
    assert found["Cy"].split == "train"  # one picture makes no validation person
    assert (found["Ann"].view1, found["Ann"].fold) == ("train", 0)
    assert (found["Dan"].view1, found["Dan"].fold) == ("test", 1)
    assert (found["Eve"].view1, found["Eve"].fold) == (None, None)


@pytest.mark.parametrize("view", ["lfw_view1", "lfw_view2"])
def test_the_folder_above_the_people_is_refused(lfw, view):
    with pytest.raises(InputError, match=rf"--split {view}: of its 4 people .* 'images'"):
        people(BuildConfig(lfw, source="lfw", split=view))


def test_view2(lfw):
    found = people(BuildConfig(lfw / "images", source="lfw", split="lfw_view2"))
    assert {person.split for person in found.values()} == {"test"}
    assert [found[name].fold for name in ("Ann", "Bob", "Cy", "Dan", "Eve")] == [0, 0, 1, 1, None]


def test_own_split_of_lfw(lfw):
    found = people(BuildConfig(lfw / "images", source="lfw", test_people=2, validation_people=0))
    assert [person.split for person in found.values()] == ["train"] * 3 + ["test"] * 2


def test_protocol_elsewhere(lfw, tmp_path_factory):
    images = tmp_path_factory.mktemp("elsewhere") / "images"
    (lfw / "images").rename(images)
    config = BuildConfig(images, source="lfw", split="lfw_view1")
    with pytest.raises(InputError, match="--protocol"):
        people(config)
    config = BuildConfig(images, source="lfw", split="lfw_view1", protocol=lfw)
    assert people(config)["Dan"].split == "test"


class TestOneViewOnly:
    def test_pairs_alone_do_for_view2_and_for_a_split_of_ones_own(self, lfw):
        for name in ("peopleDevTrain.txt", "peopleDevTest.txt", "people.txt"):
            (lfw / name).unlink()
        for split in ("lfw_view2", "by_name"):
            found = people(BuildConfig(lfw / "images", source="lfw", split=split))
            assert (found["Ann"].view1, found["Ann"].fold) == (None, 0)
        with pytest.raises(InputError, match=r"--split lfw_view1 needs peopleDevTrain\.txt or "):
            people(BuildConfig(lfw / "images", source="lfw", split="lfw_view1"))

    def test_view1_without_view2(self, lfw):
        for name in ("pairs.txt", "people.txt"):
            (lfw / name).unlink()
        found = people(BuildConfig(lfw / "images", source="lfw", split="lfw_view1"))
        assert (found["Dan"].view1, found["Dan"].fold) == ("test", None)
        with pytest.raises(InputError, match=r"lfw_view2 needs people\.txt or pairs\.txt"):
            people(BuildConfig(lfw / "images", source="lfw", split="lfw_view2"))

    def test_protocol_without_any_file(self, lfw):
        with pytest.raises(InputError, match="--protocol"):
            people(BuildConfig(lfw / "images", source="lfw", protocol=lfw / "nowhere"))


def test_pictures_without_identity_are_counted(tmp_path):
    root = draw_people(tmp_path / "people", 4, 2)
    (root / "poster.png").write_bytes(b"x")
    assert open_source(BuildConfig(root).resolved()).without_identity == 1


def test_variants_of_lfw(lfw, tmp_path):
    given = open_source(BuildConfig(lfw / "images", source="lfw").resolved())
    assert given.variant == "images (given directory)"
    funneled = tmp_path / "home" / "lfw_home" / "lfw_funneled"
    funneled.parent.mkdir(parents=True)
    (lfw / "images").rename(funneled)
    config = BuildConfig(source="lfw", data_home=tmp_path / "home")
    assert open_source(config.resolved()).variant == "lfw-funneled (scikit-learn)"


def test_nobody_with_two_pictures(tmp_path):
    root = draw_people(tmp_path / "people", 3, 1)
    with pytest.raises(InputError, match="nobody has two pictures"):
        open_source(BuildConfig(root).resolved())
