"""A plot as PNG, once for paper and once for a dark screen."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import same_color, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

DARK_INK, DARK_PAPER = "#e6e6e6", "#1c1c1e"
"""Those of the page on a dark screen."""
_DPI = 110


def png(figure: Figure) -> bytes:
    """The figure as PNG, the same bytes for the same figure.

    Its layout is found once and kept: `savefig` would find it anew, and draw all of it twice.
    """
    file = io.BytesIO()
    figure.set_dpi(_DPI)
    FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    figure.set_layout_engine("none")
    return file.getvalue()


def darken(figure: Figure) -> None:
    """Make black light and white dark, in place; what is written on pictures stays."""
    over_pictures = {
        text for axes in figure.findobj(Axes) if _has_pictures(axes) for text in _written(axes)
    }
    for part in figure.findobj():
        if part not in over_pictures:
            _darken(part)


def _has_pictures(axes: Artist) -> bool:
    return isinstance(axes, Axes) and bool(axes.images)


def _written(axes: Artist) -> list[Text]:
    return list(axes.texts) if isinstance(axes, Axes) else []


def _darken(part: Artist) -> None:
    if isinstance(part, Text | Line2D):
        if _is(part.get_color(), "black"):
            part.set_color(DARK_INK)
    elif isinstance(part, Patch):
        if _is(part.get_facecolor(), "white"):
            part.set_facecolor(DARK_PAPER)
        if _is(part.get_edgecolor(), "black"):
            part.set_edgecolor(DARK_INK)


def _is(colour: Any, name: str) -> bool:
    """Whether a colour, as matplotlib takes it, is this one and can be seen."""
    return to_rgba(colour)[3] > 0 and same_color(to_rgba(colour, 1.0), name)
