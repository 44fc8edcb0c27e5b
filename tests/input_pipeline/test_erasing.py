"""What is taken out is a rectangle within the crop, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from facenet_tf.input_pipeline.erasing import AREAS, ASPECTS

from .augmented import COUNT, SIDE, chosen, even, run


def test_cutout_sets_a_square_to_mid_grey() -> None:
    pictures = np.full((COUNT, SIDE, SIDE, 3), 7, np.uint8)
    cut = run(pictures, cutout=0.4)
    changed = (cut != pictures).all(-1)
    assert (cut[changed] == 128).all()
    np.testing.assert_array_equal(cut[~changed], pictures[~changed])
    rows, columns = changed.any(2).sum(1), changed.any(1).sum(1)
    np.testing.assert_array_equal(changed.sum((1, 2)), rows * columns)  # a filled rectangle
    assert max(rows.max(), columns.max()) in (16, 17)
    assert (np.minimum(rows, columns) < 8).mean() > 0.3  # smaller ones too
    assert (changed.mean(0) > 0).all()  # anywhere


@pytest.mark.parametrize("kind", ["rectangle", "erasing"])
def test_rectangles_have_the_sizes_of_random_erasing(kind: str) -> None:
    crops = run(even(7), **{kind: 1.0})
    changed = (crops != 7).any(-1)
    height, width = changed.any(2).sum(1), changed.any(1).sum(1)
    area = height * width / SIDE**2
    assert area.max() <= AREAS[1] * 1.1 and area.min() >= AREAS[0] * 0.5
    assert area.max() > 0.3 and area.min() < 0.06
    aspect = height / width
    assert aspect.max() <= ASPECTS[1] * 1.3 and aspect.min() >= ASPECTS[0] / 1.3
    assert (aspect > 1.5).any() and (aspect < 0.67).any()
    assert (changed.mean(0) > 0).mean() > 0.9  # nearly anywhere


def test_a_rectangle_has_one_colour() -> None:
    crops = run(even(7), rectangle=1.0)
    changed = (crops != 7).any(-1)
    colours = [np.unique(crop[own], axis=0) for crop, own in zip(crops, changed)]
    assert all(len(colour) == 1 for colour in colours)
    assert len(np.unique(np.concatenate(colours), axis=0)) > 0.9 * COUNT


def test_erasing_leaves_even_noise_another_for_each() -> None:
    crops = run(even(7), erasing=1.0)
    noise = crops[(crops != 7).any(-1)]
    counts = np.bincount(noise.ravel() // 16, minlength=16)
    assert counts.sum() > 20_000
    np.testing.assert_allclose(counts / counts.sum(), 1 / 16, rtol=0.05)
    assert len({crop.tobytes() for crop in crops}) == COUNT


@pytest.mark.parametrize("kind", ["rectangle", "erasing"])
def test_as_many_crops_as_it_says(kind: str) -> None:
    some = chosen(even(7), run(even(7), **{kind: 0.3}))
    assert 0.2 < some.mean() < 0.4


@pytest.mark.parametrize("kind", ["cutout", "rectangle", "erasing"])
def test_grey_crops_too(kind: str) -> None:
    crops = even(7)[..., :1]
    assert chosen(crops, run(crops, **{kind: 1.0})).mean() > 0.95


def test_a_cutout_of_a_narrow_crop_is_a_square_too() -> None:
    crops = even(7)[:, :, : SIDE // 2]
    changed = (run(crops, cutout=0.4) != crops).all(-1)
    rows, columns = changed.any(2).sum(1), changed.any(1).sum(1)
    inside = (changed[:, 0] | changed[:, -1]).sum(1) + changed[:, :, [0, -1]].sum((1, 2)) == 0
    assert inside.any()
    assert np.abs(rows - columns)[inside].max() <= 1
    assert max(rows.max(), columns.max()) in (16, 17)


@pytest.mark.parametrize("kind", ["rectangle", "erasing"])
def test_rectangles_of_a_narrow_crop_have_their_share_of_its_area(kind: str) -> None:
    crops = even(7)[:, :, : SIDE // 2]
    changed = (run(crops, **{kind: 1.0}) != 7).any(-1)
    area = changed.mean((1, 2))
    assert area.max() <= AREAS[1] * 1.1 and area.min() >= AREAS[0] * 0.5
    assert area.max() > 0.3 and (changed.mean(0) > 0).mean() > 0.9
