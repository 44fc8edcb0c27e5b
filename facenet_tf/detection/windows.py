"""Windows cut out of pictures."""

import numpy as np
import tensorflow as tf

from facenet_tf.detection.networks import normalized


def cut_windows(images: tf.Tensor, boxes: np.ndarray, owners: np.ndarray, side: int) -> np.ndarray:
    """Cut boxes out of the pictures that they belong to, resized bilinearly.

    Args:
        images: uint8 [B, H, W, 3].
        boxes: float64 [N, 4] of x1, y1, x2, y2 in pixels, also outside the picture.
        owners: int32 [N], the picture of each.
        side: of the windows, in pixels.

    Returns float32 [N, side, side, 3], normalized, 0 outside the picture. The boxes are divided
    by width and height, not by width - 1 and height - 1 as the operation would have it: the
    networks' usual frame.
    """
    height, width = images.shape[1:3]
    places = boxes[:, [1, 0, 3, 2]] / [height, width, height, width]
    cut = tf.image.crop_and_resize(
        images, places.astype(np.float32), owners, [side, side], extrapolation_value=127.5
    )
    return normalized(cut.numpy())
