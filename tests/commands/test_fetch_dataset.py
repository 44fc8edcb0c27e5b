import pytest

from facenet_tf import cli
from facenet_tf.commands import fetch_dataset
from facenet_tf.storage import Store


@pytest.fixture
def fetch(capsys):
    pytest.importorskip("fsspec")

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            cli.run(fetch_dataset.main, [str(argument) for argument in arguments])
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return run


def test_fetches_into_a_directory_of_the_same_name(fetch, dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store("memory://bucket/small")
    for path in dataset.directory.iterdir():
        store.upload(path, path.name)
    code, told, _ = fetch(f"{store.url}/")
    assert (code, told) == (0, f"dataset: data/small ({len(dataset)} records)\n")
    fetched = {path.name: path.read_bytes() for path in (tmp_path / "data" / "small").iterdir()}
    assert fetched == {path.name: path.read_bytes() for path in dataset.directory.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "give the URL of a dataset"),
        (["data/small"], "data/small: give a URL such as"),
        (["memory://none"], "memory://none has no dataset.json"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(fetch, tmp_path, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    code, _, told = fetch(*arguments)
    assert code == 2
    assert told.startswith(f"error: {complaint}")
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "data").exists()
