import base64
import sys

import jinja2
import pytest

from facenet_tf import page


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a report."""
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "__init__.py").touch()
    (tmp_path / "paper" / "sheet.html.jinja").write_text(
        '{% extends "page.html.jinja" %}\n'
        '{% from "page.html.jinja" import grid %}\n'
        "{% block title %}About {{ name }}{% endblock %}\n"
        "{% block content %}{{ grid([['a', 'b'], [name, 1]]) }}{% endblock %}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "paper"
    sys.modules.pop("paper", None)


def test_a_page_with_a_table(package):
    text = page.render(package, "sheet.html.jinja", name="Ann")
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert text.count("<html") == text.count("<title>") == text.count("<body>") == 1
    assert "<title>About Ann</title>" in text
    assert '<th scope="col">a</th><th scope="col">b</th>' in text
    assert "<td>Ann</td><td>1</td>" in text
    assert 'name="viewport" content="width=device-width' in text


def test_names_from_outside_cannot_become_markup(package):
    text = page.render(package, "sheet.html.jinja", name="<b>")
    assert "<b>" not in text
    assert text.count("&lt;b&gt;") == 2


def test_what_is_not_given_is_an_error(package):
    with pytest.raises(jinja2.UndefinedError, match="name"):
        page.render(package, "sheet.html.jinja")


def test_embedded():
    head, body = page.embedded(b"\x00\xff", "png").split(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body) == b"\x00\xff"
