"""Values of the triplet losses that others computed, and the batches that they belong to."""

import json
from pathlib import Path

import numpy as np

from .twin import unit

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text())
NINE = np.array([0, 0, 1, 1, 0, 2, 1, 1, 1])
ANGLES = np.deg2rad(20 * np.arange(9))
FIXTURES = {
    "arange9": (np.arange(9.0)[:, None], NINE),
    "angles": (np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1), NINE),
    "p8k4_rs42": (unit(np.random.RandomState(42).randn(32, 128)), np.repeat(np.arange(8), 4)),
}
assert all(expected["margin"] == 0.2 for expected in VECTORS["triplet"].values())


def fixture_rows(fixture):
    """Rows, labels and distance of a batch, by its name among the vectors."""
    name, distance = fixture.split("/")
    return *FIXTURES[name], {"L2": "plain", "squared-L2": "squared"}[distance]
