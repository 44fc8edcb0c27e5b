"""Some of the AT&T faces as a folder of person/picture files."""

from pathlib import Path

from facenet_tf.datasets.att import list_pictures


def write_pictures(directory: Path, people: int) -> Path:
    """Write the ten portraits of each of the first people, mended."""
    pictures = list_pictures().pictures
    names = sorted({picture.identity for picture in pictures})[:people]
    for picture in pictures:
        if picture.identity in names:
            file = directory / picture.key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture.read())
    return directory
