"""The reports in a real browser: Debian's Chromium, driven by Playwright (extra `browser`)."""

import copy
import json
import shutil

import numpy as np
import pytest
from matplotlib.image import imread

from facenet_tf.evaluation.report.report import write_report

pytestmark = pytest.mark.slow

PHONE, DESK = 390, 1280
IMAGES = """() => Promise.all([...document.images].map(async image => {
    await image.decode().catch(() => 0);
    return {alt: image.alt, width: image.naturalWidth, dark: image.currentSrc != image.src};
}))"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SCROLLING = "() => [...document.querySelectorAll('.wide')].map(e => e.scrollWidth - e.clientWidth)"
# Of a colour over the page's paper (WCAG 2.1, relative luminance and contrast ratio).
CONTRAST = """() => {
    const light = text => {
        const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(Number).map(
            c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = light(getComputedStyle(document.body).backgroundColor);
    return [...document.querySelectorAll('p, td, li, a, figcaption, dd')].map(e => {
        const ink = light(getComputedStyle(e).color);
        return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    });
}"""


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs Playwright: pip install 'facenet-tf[browser]'"
    )
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(evaluated, dataset, tmp_path_factory):
    """The small world's evaluation, the same with long names and wide tables, and its dataset."""
    figures = json.loads((evaluated[0] / "evaluation.json").read_text())
    crowded = tmp_path_factory.mktemp("crowded") / "report.html"
    write_report(_crowded(figures), crowded)
    return {
        "evaluation": evaluated[0] / "report.html",
        "crowded": crowded,
        "dataset": dataset.directory / "report.html",
    }


def _crowded(figures):
    """Forty people with names as no table likes them."""
    figures = copy.deepcopy(figures)
    svm = figures["svm"]
    names = [f"Donaudampfschifffahrtskapitaen_{'x' * 60}_{number}" for number in range(40)]
    of_one = next(iter(svm["classification_report"].values()))
    svm["people"], svm["confusion_matrix"] = names, np.eye(40, dtype=int).tolist()
    svm["classification_report"] = dict.fromkeys(names, of_one)
    figures["dataset"]["name"] = "n" * 300
    figures["pictures"]["lost"] *= 30
    return figures


@pytest.fixture(params=["evaluation", "crowded", "dataset"])
def report(request, reports):
    return reports[request.param]


@pytest.fixture
def opened(chromium, report):
    """Opens the report at a width; what the console says of errors is found in `complaints`."""
    context = chromium.new_context()
    page = context.new_page()
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url) if "http" in asked.url else None)

    def open_at(width, scheme="light", media="screen"):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme, media=media)
        page.goto(report.as_uri())
        return page

    yield open_at, complaints
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_report_fits_and_is_whole(opened, report, width, scheme, tmp_path):
    open_at, complaints = opened
    page = open_at(width, scheme)
    images = page.evaluate(IMAGES)
    assert page.evaluate(WIDER) <= 0
    assert all(image["width"] > 1 for image in images)
    assert all(image["alt"] for image in images)
    assert min(page.evaluate(CONTRAST)) >= 4.5
    shot = tmp_path / f"{report.parent.name}-{width}-{scheme}.png"
    page.screenshot(path=shot, full_page=True)
    pixels = imread(shot)[..., :3]
    assert pixels.shape[1] == width
    assert (np.median(pixels) > 0.5) == (scheme == "light")
    assert complaints == []


@pytest.mark.parametrize("report", ["evaluation"], indirect=True)
def test_plots_follow_the_screen(opened):
    open_at, _ = opened
    for scheme in ("light", "dark"):
        plots = [each for each in open_at(DESK, scheme).evaluate(IMAGES) if each["width"] > 300]
        assert len(plots) >= 5
        assert {each["dark"] for each in plots} == {scheme == "dark"}


@pytest.mark.parametrize("report", ["crowded"], indirect=True)
def test_wide_tables_scroll_in_their_own_box(opened):
    page = opened[0](PHONE)
    assert max(page.evaluate(SCROLLING)) > 100
    assert page.evaluate(WIDER) <= 0


@pytest.mark.parametrize("report", ["evaluation"], indirect=True)
def test_verdict_stands_on_the_first_screen_of_a_phone(opened):
    box = opened[0](PHONE).locator(".verdict li").first.bounding_box()
    assert box["y"] + box["height"] < 844


@pytest.mark.parametrize("report", ["evaluation", "dataset"], indirect=True)
def test_paper_is_light_and_wide_enough(opened, tmp_path):
    a4_without_margins = 680
    page = opened[0](a4_without_margins, "dark", "print")
    assert page.evaluate(WIDER) <= 0
    assert max(page.evaluate(SCROLLING), default=0) <= 0
    assert min(page.evaluate(CONTRAST)) >= 4.5
    assert not any(image["dark"] for image in page.evaluate(IMAGES))
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
