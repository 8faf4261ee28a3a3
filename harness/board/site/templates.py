"""The site's templates, and the style sheet and the program that all of its pages share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from harness.board.standing.figures import one_line
from harness.records.documents import sha256

STYLES = ("look", "table", "tools", "charts", "print")
SCRIPTS = (
    "theme",
    "state",
    "statistics",
    "comparisons",
    "elements",
    "scales",
    "frame",
    "pareto",
    "det",
    "menus",
    "rows",
    "compare",
    "view",
    "main",
)
"""The program's files, in the order of their dependencies."""

STYLE, SCRIPT = "board.css", "board.js"
"""Files beside the pages."""

_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def json_for_script(document: Any) -> Markup:
    r"""Write a document as JSON that may stand within a `script` element.

    >>> str(json_for_script({"name": "</script>"}))
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # The characters escaped may only stand within strings, where an escape means the same.
    return Markup(text.translate(_ESCAPES))


def template(name: str) -> Template:
    """Return a template whose values are escaped, on one line, without unprintable characters."""
    return _environment().get_template(name)


def page(name: str, **values: Any) -> str:
    """Return a whole page; it loads and runs the shared assets and nothing else."""
    return template(name).render(links=_asset_links(), **values).rstrip("\n") + "\n"


@cache
def assets() -> dict[str, str]:
    """Return the style sheet and the program, each as one text, by their files' names."""
    folder = files("harness.board.site") / "assets"
    style = "\n".join((folder / f"{name}.css").read_text("utf-8") for name in STYLES)
    parts = "\n".join((folder / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return {STYLE: style, SCRIPT: f'"use strict";\n(() => {{\n{parts}}})();\n'}


@cache
def _asset_links() -> dict[str, str]:
    """Return links to the assets that change with their content, so that no cache is outdated."""
    return {
        name.split(".")[1]: f"{name}?{sha256(text.encode())[:12]}"
        for name, text in assets().items()
    }


def html_environment(
    package: str, folder: str, filters: Mapping[str, Any], **options: Any
) -> Environment:
    """Return the environment of a package's templates: values are escaped, none may be missing.

    Args:
        package: import path of the package.
        folder: of the templates within it.
        filters: added to Jinja's own.
        options: of Jinja's environment.
    """
    environment = Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    environment.filters |= filters
    return environment


@cache
def _environment() -> Environment:
    filters = {"json": json_for_script, "quoted": quote, "address": _address}
    return html_environment("harness.board.site", "pages", filters, finalize=_clean)


def _address(link: str) -> str:
    """Return a link's target: an address as it is, or a published file from the site's folder."""
    return link if link.startswith("https://") else f"../{quote(link)}"


def _clean(value: Any) -> Any:
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value
