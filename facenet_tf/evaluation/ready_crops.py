"""Crops that others have cut by the five points, 112 by 112, for networks that take such crops."""

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.pictures import UnreadablePicture, decode_picture
from facenet_tf.preprocessing import Preprocessing

SIDE = 112
_LUMA = np.array([0.299, 0.587, 0.114])


def check_takes_crops(preprocessing: Preprocessing) -> None:
    """Raises InputError unless crops of 112 by 112 by the five points are what a network takes, or
    hold what it takes: a narrower one is the middle of it, a grey one its luma."""
    height, width, _ = preprocessing.shape
    fits = preprocessing.alignment == "five_points" and height == SIDE
    if not fits or width > SIDE or (SIDE - width) % 2:
        raise InputError(
            f"--bins.files: their crops are {SIDE} by {SIDE}, aligned by five_points, and this "
            f"network takes {height} by {width}, aligned by {preprocessing.alignment}: measure one "
            f"that was trained on --size {SIDE} --alignment five_points"
        )


def ready_crop(data: bytes, shape: tuple[int, int, int], what: str) -> NDArray[np.uint8]:
    """The crop in these bytes as a network takes it.

    Args:
        data: JPEG or PNG.
        shape: height, width and channels that the network takes, see `check_takes_crops`.
        what: the picture is, for messages.

    Raises:
        InputError: the bytes are no picture of 112 by 112.
    """
    try:
        pixels = decode_picture(data, max_pixels=SIDE * SIDE)
    except UnreadablePicture as error:
        raise InputError(f"{what}: {error.detail}") from error
    if pixels.shape[:2] != (SIDE, SIDE):
        raise InputError(f"{what} is {pixels.shape[0]} by {pixels.shape[1]}, not {SIDE} by {SIDE}")
    _, width, channels = shape
    aside = (SIDE - width) // 2
    pixels = pixels[:, aside : aside + width]
    return pixels if channels == 3 else np.rint(pixels @ _LUMA)[..., None].astype(np.uint8)
