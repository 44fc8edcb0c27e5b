"""What is known of an architecture from its publication; docs and tables take it from here."""

from __future__ import annotations

from dataclasses import dataclass

from facenet_tf.preprocessing import Alignment, Normalization, Preprocessing


@dataclass(frozen=True)
class Published:
    """An architecture as its authors have it."""

    paper: str
    """Authors, title, year, and the table or section that says what the layers are."""
    year: int
    size: int
    """Height of the crops in pixels, their width as well if `width` is None."""
    parameters: int
    """Trainable ones at the published size and number of dimensions."""
    embedding_size: int = 128
    """Number of dimensions of an embedding."""
    width: int | None = None
    """Width of crops that are not square, in pixels."""
    verified: bool = True
    """Whether `parameters` follows from a table of all layers, or was published as such. False:
    some of the layers are our reading of a description."""
    lfw: float | None = None
    """Accuracy on LFW in percent that those who trained this network report, of it alone or of a
    larger system with it; None: they report none."""
    normalization: Normalization = "fixed"
    """How its input was normalised."""
    alignment: Alignment = "five_points"
    """The frame of its crops."""

    @property
    def preprocessing(self) -> Preprocessing:
        """Crops of the published size, frame and normalisation."""
        return Preprocessing(
            self.alignment, self.size, width=self.width, normalization=self.normalization
        )
