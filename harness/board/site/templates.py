"""The templates, and the style sheet and the program that every page holds."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from harness.board.site.embed import embedded, source_hash
from harness.board.text import one_line

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
"""The program's files, in the order in which they lean on each other."""


def template(name: str) -> Template:
    """A template whose every value is escaped, on one line, without unprintable characters."""
    return _environment().get_template(name)


def page(name: str, **values: Any) -> str:
    """A whole page; nothing may run on it but its own program, and nothing is loaded."""
    style, script = _assets()
    rendered = template(name).render(
        style=Markup(style),
        script=Markup(script),
        style_hash=source_hash(style),
        script_hash=source_hash(script),
        **values,
    )
    return rendered.rstrip("\n") + "\n"


@cache
def _assets() -> tuple[str, str]:
    """The style sheet and the program, each as one text."""
    folder = files("harness.board.site") / "assets"
    style = "\n".join((folder / f"{name}.css").read_text("utf-8") for name in STYLES)
    parts = "\n".join((folder / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return f"\n{style}", f'\n"use strict";\n(() => {{\n{parts}}})();\n'


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.board.site", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )
    environment.filters |= {"embedded": embedded, "quoted": quote, "address": _address}
    return environment


def _address(link: str) -> str:
    """Where a link leads: an address as it is, a published file from the site's folder."""
    return link if link.startswith("https://") else f"../{quote(link)}"


def _clean(value: Any) -> Any:
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value
