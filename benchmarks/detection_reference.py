"""Run `mtcnn` 1.0.0 over the pictures of the parity check and write what it finds.

    python benchmarks/detection_reference.py DATA [--output FILE]

DATA holds lfw/images and pubfig83; scenes made from scikit-image's astronaut are added. The
package's defaults, one picture at a time, coordinates not rounded. Needs to be run only if the
list of pictures changes.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np
from mtcnn import MTCNN
from reference_faces import REFERENCE, Expected, checksum, write_reference
from reference_pictures import photograph, photograph_names
from scenes import parity_scenes
from tqdm import tqdm


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="directory with lfw/images and pubfig83")
    parser.add_argument("--output", type=Path, default=REFERENCE, help="the archive to write")
    options = parser.parse_args()
    assert version("mtcnn") == "1.0.0", "the reference is mtcnn 1.0.0"
    package = MTCNN()
    found = [expected(package, *scene) for scene in parity_scenes().items()]
    for name in tqdm(photograph_names(options.data), unit="picture"):
        found.append(expected(package, name, photograph(options.data, name)))
    write_reference(options.output, found)
    print(f"{sum(len(picture.faces) for picture in found)} faces in {len(found)} pictures")


def expected(package: MTCNN, name: str, picture: np.ndarray) -> Expected:
    rows = package.detect_faces(picture, output_type="numpy")
    # picture, left, top, width, height, confidence, five x, five y
    points = rows[:, 6:16].reshape(-1, 2, 5).transpose(0, 2, 1).reshape(-1, 10)
    return Expected(name, checksum(picture), np.hstack([rows[:, 1:5], points, rows[:, 5:6]]))


if __name__ == "__main__":
    main()
