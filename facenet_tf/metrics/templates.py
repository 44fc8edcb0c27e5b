"""One vector for each template: a set of pictures and video frames of one person."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.distances import unit_rows


def pooled_templates(
    vectors: ArrayLike, template: ArrayLike, medium: ArrayLike, quality: ArrayLike | None = None
) -> tuple[NDArray, NDArray[np.float32]]:
    """The vector of each template: the mean within each medium first, then the sum over the media.

    A video gives many frames that are much alike; so that it does not outvote the photographs, it
    counts as one (media average, as IJB-A, B and C are measured: Whitelam et al., "IARPA Janus
    Benchmark-B", 2017, and the evaluation of insightface). With qualities a vector counts by its
    own, and so a medium by their mean.

    Args:
        vectors: float [N, D]; a row with NaN (a picture that is lost) has no part.
        template: [N], which template each row belongs to.
        medium: [N], which photograph or video it is from; counted within each template.
        quality: float [N] >= 0; None: all alike.

    Returns:
        The templates, ascending [T], and float32 [T, D] of length 1; NaN where a template has no
        vector left, or where they cancel out.

    Raises:
        ValueError: the lengths differ, or a quality is negative or not finite.
    """
    rows = np.asarray(vectors)
    templates, whose = np.unique(np.asarray(template), return_inverse=True)
    media = np.unique(np.asarray(medium), return_inverse=True)[1]
    weights = np.ones(len(rows)) if quality is None else np.asarray(quality, np.float64)
    if rows.ndim != 2 or not len(rows) == len(whose) == len(media) == len(weights):
        raise ValueError("vectors, templates, media and qualities must be of one length")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("qualities must be finite and not negative")

    kept = np.flatnonzero(~np.isnan(rows).any(axis=1))
    groups, group = np.unique(
        whose[kept] * (media.max(initial=0) + 1) + media[kept], return_inverse=True
    )
    counts = np.bincount(group, minlength=len(groups))
    of_media = _sums(rows[kept] * weights[kept, None], group, len(groups)) / counts[:, None]
    sums = _sums(of_media, groups // (media.max(initial=0) + 1), len(templates))
    somewhere = sums.any(axis=1, keepdims=True)
    return templates, np.where(somewhere, unit_rows(sums), np.nan).astype(np.float32)


def _sums(rows: NDArray[np.float64], group: NDArray[np.int64], groups: int) -> NDArray[np.float64]:
    """Sums of the rows of each group, [groups, D]; zeros for a group without rows."""
    sums = np.zeros((groups, rows.shape[1]))
    order = np.argsort(group, kind="stable")
    firsts = np.flatnonzero(np.diff(group[order], prepend=-1))
    if len(firsts):
        sums[group[order[firsts]]] = np.add.reduceat(rows[order], firsts, axis=0)
    return sums
