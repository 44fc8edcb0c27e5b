"""docs/plot_augmentations.py draws every strength, each visibly."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def plots(monkeypatch):
    path = Path(__file__).parent.parent / "docs" / "plot_augmentations.py"
    spec = importlib.util.spec_from_file_location("plot_augmentations", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    coarse = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    crop = cv2.resize(coarse, (112, 112), interpolation=cv2.INTER_CUBIC)
    monkeypatch.setattr(module, "face", lambda picture: crop)
    return module


def test_every_strength_can_be_seen(plots):
    for name in plots.STRENGTHS:
        crops = plots.varied(plots.face(None), name).astype(int)
        assert crops.shape == (1 + plots.SHOWN, 112, 112, 3)
        assert np.abs(crops[1:] - crops[0]).mean((1, 2, 3)).max() > 3, name


def test_the_picture_has_a_row_for_each(plots, tmp_path, monkeypatch):
    output = tmp_path / "shown" / "all.png"
    monkeypatch.setattr("sys.argv", ["plot_augmentations.py", "--output", str(output)])
    plots.main()
    height, width = cv2.imread(str(output)).shape[:2]
    rows = len(plots.STRENGTHS)
    assert height / width == pytest.approx(rows / (plots.SHOWN + 2), rel=0.1)
