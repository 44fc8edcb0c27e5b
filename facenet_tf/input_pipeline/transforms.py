"""The random changes to a batch of training crops, keyed by (seed, step, position).

Stateless TensorFlow ops draw how much each crop is changed; OpenCV, which lets other threads work
meanwhile, changes one crop after the other, see `in_python`.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.colour import bend, recolour
from facenet_tf.input_pipeline.degradation import degrade
from facenet_tf.input_pipeline.draws import Change, Draws, draw, drawn_apart, names_of
from facenet_tf.input_pipeline.erasing import erase
from facenet_tf.input_pipeline.geometry import move
from facenet_tf.input_pipeline.in_python import in_python
from facenet_tf.input_pipeline.occlusion import dress, five_points
from facenet_tf.preprocessing import Preprocessing


class Variation:
    """The changes that some options make to crops of one kind.

    What happens to a crop depends on `options`, `seed`, `step` and its position in the batch alone.

    Args:
        options: the strengths.
        preprocessing: of the crops; says where landmarks are.
    """

    def __init__(self, options: Augmentation, preprocessing: Preprocessing) -> None:
        self._options, self._points = options, five_points(preprocessing)
        self._shape = preprocessing.shape
        self._apart = drawn_apart(name for name, strength in vars(options).items() if strength)

    def vary(
        self,
        images: tf.Tensor,
        seed: int,
        step: tf.Tensor | int,
        first: tf.Tensor | int = 0,
        whole: int | None = None,
    ) -> tf.Tensor:
        """Vary a batch of crops, or a part of one.

        It runs in Python, which XLA cannot compile and a saved graph cannot hold.

        Args:
            images: uint8 [B, H, W, C], C 1 or 3.
            seed: of all steps.
            step: number of the batch.
            first: position of the first crop in its batch.
            whole: crops of that batch; None: these.

        Returns:
            Same shape and dtype; `images` itself if the options are not enabled.
        """
        if not self._options.enabled:
            return images
        count = images.shape[0]
        numbers = draw(self._apart, whole or count, seed, step)[first : first + count]
        varied = in_python(self.apply, [images, numbers], tf.uint8)
        return tf.ensure_shape(varied, images.shape)

    def apply(self, crops: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Crops uint8 [B, H, W, C], varied one after the other by their `numbers`, [B, n]."""
        draws = dict(zip(names_of(self._apart), np.ascontiguousarray(numbers.T), strict=True))
        changes = self._changes(draws)
        varied = np.empty_like(crops)
        for position, (place, crop) in enumerate(zip(varied, crops, strict=True)):
            # OpenCV drops a channel that is alone.
            crop = crop[..., 0] if self._shape[2] == 1 else crop
            for change in changes:
                crop = change(position, crop)
            place[:] = crop.reshape(self._shape)
        return varied

    def _changes(self, draws: Draws) -> list[Change]:
        """In the order of their causes: what is worn, the pose, light, the camera; then erasing."""
        options, (height, width, channels) = self._options, self._shape
        sides = height, width
        changes = [
            *dress(options, draws, self._points),
            move(options, draws, sides),
            recolour(options, draws, channels),
            bend(options, draws),
            *degrade(options, draws, sides),
            *erase(options, draws, sides),
        ]
        return [change for change in changes if change]
