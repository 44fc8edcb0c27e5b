"""``python data_prep/fit_template.py``: pictures → the template of `--alignment dlib`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from facenet_tf import cli
from facenet_tf.pretrained.template import TemplateConfig

_DESCRIPTION = (
    "Find faces by MTCNN and by dlib (extra `dlib`), and print where MTCNN's five points lie in "
    "the chip that dlib cuts: the template of --alignment dlib."
)


def main(argv: Sequence[str]) -> None:
    """Fit, and print the template with its residual."""
    config = cli.load(TemplateConfig, "template", argv, _DESCRIPTION)
    from facenet_tf.detection.mtcnn import MtcnnDetector
    from facenet_tf.pretrained.template import fit_template

    template = fit_template(config, MtcnnDetector())
    names = ("left eye", "right eye", "nose", "left mouth corner", "right mouth corner")
    for name, (x, y), (dx, dy) in zip(names, template.points, template.scatter, strict=True):
        print(f"{name:<20}{x:7.2f}{y:8.2f}   median distance {dx:.2f} {dy:.2f}")
    print(
        f"{template.faces} faces; a crop by this template is {template.residual:.2f} of 150 pixels "
        "from dlib's (median)"
    )


def entry() -> NoReturn:
    """Console entry point."""
    cli.run(main)
