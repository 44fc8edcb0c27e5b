"""Reports: one HTML file with everything inside, made to be read on a phone as well.

A report is a Jinja template that extends ``page.html.jinja`` and lies beside the code that fills
it. What it is given is escaped, for names come from outside.
"""

from __future__ import annotations

import base64

import jinja2


def render(package: str, template: str, **content: object) -> str:
    """Return the HTML of a report.

    Args:
        package: where the template lies, for instance "facenet_tf.evaluation".
        template: its file name.
        content: what it may name; naming anything else is an error.
    """
    loaders = [jinja2.PackageLoader(place, ".") for place in (package, "facenet_tf")]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**content)


def embedded(image: bytes, kind: str) -> str:
    """Return an encoded image as what ``src`` takes; `kind` is "png", "webp" or the like."""
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
