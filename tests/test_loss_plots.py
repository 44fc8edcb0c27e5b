"""The curves of docs/plot_losses.py are those of the formulas; every loss gets into a picture."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from facenet_tf.losses import find_loss, losses


@pytest.fixture
def plots(monkeypatch):
    path = Path(__file__).parent.parent / "docs" / "plot_losses.py"
    spec = importlib.util.spec_from_file_location("plot_losses", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DISTANCES", np.linspace(0.0, 2.0, 5))
    monkeypatch.setattr(module, "DRAWS", 2)
    return module


def test_points_are_at_their_distances(plots):
    for distance in (0.0, 0.5, 2.0):
        for sign in (1, -1):
            row = np.array(plots.point(sign * distance))
            assert np.linalg.norm(row) == pytest.approx(1.0)
            assert np.linalg.norm(row - [1.0, 0.0]) == pytest.approx(distance)


def test_triplet_curve_is_the_hinge(plots):
    loss = find_loss("triplet", "batch_hard")
    curve = plots.triplet_curve(loss, 0.8, [], margin=0.2, distance="plain")
    np.testing.assert_allclose(curve, np.maximum(1.0 - plots.DISTANCES, 0.0), atol=1e-6)


def test_true_class_logit_is_the_cosine_less_the_margin(plots):
    (curve,) = plots.true_class_logits(find_loss("cosface"))
    np.testing.assert_allclose(curve, np.cos(plots.ANGLES) - 0.35, atol=1e-4)


def test_every_loss_is_drawn(plots, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["plot_losses.py", "--output", str(tmp_path)])
    plots.main()
    drawn = {plots.family_of(loss) for loss in losses() if not loss.name.startswith("tfa_")}
    assert {path.name for path in tmp_path.iterdir()} == {f"losses_{each}.png" for each in drawn}
    assert all(10_000 < path.stat().st_size < 150_000 for path in tmp_path.iterdir())
