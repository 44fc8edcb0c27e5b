import io

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

from facenet_tf.evaluation.methods import plots
from facenet_tf.evaluation.report import drawing


def pixels(figure) -> np.ndarray:
    return imread(io.BytesIO(drawing.png(figure)))[..., :3]


def example() -> Figure:
    figure = Figure(figsize=(4, 3))
    axes = figure.add_subplot(title="title", xlabel="across")
    axes.plot([0, 1], [0, 1], color="black", label="chance")
    axes.plot([0, 1], [1, 0], color="red", label="network")
    axes.legend()
    return figure


def test_black_on_white_becomes_light_on_dark():
    figure = example()
    light = pixels(figure)
    drawing.darken(figure)
    dark = pixels(figure)
    assert np.median(light) == 1
    assert np.median(dark) < 0.15
    assert light.min() == 0  # black ink
    grey = dark.max(axis=2) - dark.min(axis=2) < 0.02
    assert not (grey & (dark.max(axis=2) > 0.95)).any()  # no white left
    assert dark.max() > 0.85


def test_other_colours_stay():
    figure = example()
    drawing.darken(figure)
    assert (np.abs(pixels(figure) - [1, 0, 0]).max(axis=2) < 0.02).any()


def test_numbers_on_a_matrix_stay_as_they_are():
    figure = plots.confusion([[4, 1], [0, 3]], ["Ann", "Bob"])
    before = [text.get_color() for text in figure.axes[0].texts]
    drawing.darken(figure)
    assert [text.get_color() for text in figure.axes[0].texts] == before
    assert figure.axes[0].get_xticklabels()[0].get_color() == drawing.DARK_INK


def test_page_and_plots_have_the_same_colours():
    from facenet_tf import page

    text = page.render("facenet_tf", "page.html.jinja")
    assert f"--ink: {drawing.DARK_INK}; --paper: {drawing.DARK_PAPER}" in text
