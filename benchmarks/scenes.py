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


def parity_scenes():
    """Pictures by name in which detectors are compared: with no, one and many faces, small and
    large, cut at edges. Nothing is resampled in a way that could differ between libraries."""
    picture = astronaut()
    half = picture.reshape(256, 2, 256, 2, 3).mean((1, 3)).astype(np.uint8)
    quarter = half[::2, ::2]
    noise = np.random.default_rng(0).integers(-40, 41, picture.shape)
    noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
    double = picture[:300, 100:400].repeat(2, 0).repeat(2, 1)
    pictures = {
        "astronaut": picture,
        "mirrored": picture[:, ::-1],
        "noisy": noisy,
        "half": half,
        "quarter": quarter,
        "double": double,
        "odd_sides": picture[3:402, 5:306],
        "tight": picture[55:190, 170:280],
        "cut_left": picture[20:400, 215:500],
        "cut_top": picture[105:400, 20:400],
        "upside_down": picture[::-1],
        "tiles": np.tile(quarter, (4, 5, 1)),
        "mixed": np.vstack([np.hstack([half, half[:, ::-1]]), noisy]),
        "strip": picture[60:175],
        "tiny": quarter[::4, ::4],
        "blank": np.full((120, 160, 3), 120, np.uint8),
        "noise": np.random.default_rng(1).integers(0, 256, (200, 150, 3)).astype(np.uint8),
        "chelsea": skimage.data.chelsea(),
        "coffee": skimage.data.coffee(),
        "brick": np.repeat(skimage.data.brick()[..., None], 3, 2),
    }
    return {f"scene/{name}": np.ascontiguousarray(made) for name, made in pictures.items()}


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
