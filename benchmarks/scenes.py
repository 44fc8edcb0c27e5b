"""Pictures with and without faces, made from what scikit-image carries."""

import cv2
import numpy as np
import skimage.data

SCENERY = (
    "brick",
    "cell",
    "chelsea",
    "coffee",
    "coins",
    "colorwheel",
    "grass",
    "gravel",
    "clock",
    "hubble_deep_field",
    "immunohistochemistry",
    "microaneurysms",
    "moon",
    "page",
    "retina",
    "rocket",
    "text",
)


def astronaut():
    """A woman's face, some 80 pixels wide, in 512 x 512 pixels."""
    return skimage.data.astronaut()


def crowd():
    """Four times the same face, small and large, two of them mirrored, in 480 x 640 pixels."""
    head = astronaut()[0:220, 120:330]
    picture = np.full((480, 640, 3), 128, np.uint8)
    places = [(10, 10, 0.5), (200, 20, 1.0), (420, 200, 0.8), (100, 260, 0.9)]
    for number, (x, y, scale) in enumerate(places):
        face = cv2.resize(head, None, fx=scale, fy=scale)
        height, width = face.shape[:2]
        picture[y : y + height, x : x + width] = face if number % 2 else face[:, ::-1]
    return picture


def scenery():
    """Photographs and drawings without a face, as uint8 [H, W, 3]."""
    pictures = []
    for name in SCENERY:
        image = np.asarray(getattr(skimage.data, name)())
        pictures.append(image[..., :3] if image.ndim == 3 else np.repeat(image[..., None], 3, 2))
    return pictures


def faceless(count, seed):
    """Noise, clouds and clippings of scenery, each of 64 to 300 pixels a side."""
    rng = np.random.default_rng(seed)
    sources = scenery()
    return [_faceless(rng, number, sources) for number in range(count)]


def _faceless(rng, number, sources):
    height, width = (int(side) for side in rng.integers(64, 300, 2))
    if number % 4 == 0:
        return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    if number % 4 == 1:
        grain = int(rng.integers(3, 40))
        shape = (max(2, height // grain), max(2, width // grain), 3)
        small = rng.integers(0, 256, shape).astype(np.uint8)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    source = sources[rng.integers(len(sources))]
    height, width = min(height, source.shape[0]), min(width, source.shape[1])
    top = rng.integers(source.shape[0] - height + 1)
    left = rng.integers(source.shape[1] - width + 1)
    clipping = np.rot90(source[top : top + height, left : left + width], rng.integers(4))
    zoom = float(rng.uniform(0.5, 1.5)) if number % 4 == 3 else 1.0
    return cv2.resize(np.ascontiguousarray(clipping), None, fx=zoom, fy=zoom)
