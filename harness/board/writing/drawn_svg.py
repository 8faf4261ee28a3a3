"""SVG files held against all that our own drawing can make: an allow-list, and nothing else.

A browser runs what an SVG file holds as a page of the server that it came from. So a picture may
hold paths, their uses and its data, each with the attributes that matplotlib writes and values of
the shapes that it writes them in. What could load, link, run or restyle has no place there.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from harness.records.documents import LARGEST

_SVG = "http://www.w3.org/2000/svg"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_CC = "http://creativecommons.org/ns#"
_LINK = "http://www.w3.org/1999/xlink href"

DESCRIPTION, TITLE = f"{_DC} description", f"{_SVG} title"
"""Elements of a picture that hold its data, and what a browser calls it."""

DOCTYPE = ("-//W3C//DTD SVG 1.1//EN", "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd")
"""The one declaration of a type, which no reader loads."""

INSIDE: dict[str, set[str]] = {
    "": {f"{_SVG} svg"},
    f"{_SVG} svg": {TITLE, f"{_SVG} metadata", f"{_SVG} defs", f"{_SVG} g"},
    f"{_SVG} metadata": {f"{_RDF} RDF"},
    f"{_RDF} RDF": {f"{_CC} Work"},
    f"{_CC} Work": {f"{_DC} {n}" for n in ("type", "title", "description", "format", "creator")},
    f"{_DC} creator": {f"{_CC} Agent"},
    f"{_CC} Agent": {f"{_DC} title"},
    # A use of a group of uses could be drawn a million times: only paths are defined.
    f"{_SVG} defs": {f"{_SVG} style", f"{_SVG} path", f"{_SVG} clipPath"},
    f"{_SVG} clipPath": {f"{_SVG} rect"},
    f"{_SVG} g": {f"{_SVG} g", f"{_SVG} defs", f"{_SVG} path", f"{_SVG} use"},
}
"""Element -> the elements within it; those that are no key hold none."""

TEXTS = {TITLE, DESCRIPTION, *(f"{_DC} {name}" for name in ("title", "format"))}
"""Elements that hold text, which is never drawn."""

_LENGTH = r"-?[\d.]+(e-?\d+)?(pt)?"
_NAME = r"[\w.-]{1,100}"
_STYLE = r"[a-z\d#.,:; -]*"
_TRANSFORM = r"[a-z\d., ()-]*"
_SHAPE = {"x": _LENGTH, "y": _LENGTH, "width": _LENGTH, "height": _LENGTH}
_DRAWN = {"id": _NAME, "style": _STYLE, "transform": _TRANSFORM, "clip-path": rf"url\(#{_NAME}\)"}

ATTRIBUTES: dict[str, dict[str, str]] = {
    f"{_SVG} svg": {**_SHAPE, "viewBox": r"[\d. ]+", "version": r"1\.1"},
    f"{_SVG} style": {"type": "text/css"},
    f"{_SVG} g": _DRAWN,
    f"{_SVG} path": {**_DRAWN, "d": r"[MLHVCQZz\d., e\n-]*"},
    f"{_SVG} use": {**_DRAWN, **_SHAPE, _LINK: f"#{_NAME}"},
    f"{_SVG} clipPath": {"id": _NAME},
    f"{_SVG} rect": _SHAPE,
    f"{_DC} type": {f"{_RDF} resource": "http://purl.org/dc/dcmitype/StillImage"},
}
"""Element -> its attributes, each with the shape of its value; others have none."""

_SHEET = r"\s*\*\{[a-z\d:; -]*\}\s*"
"""The one rule of the style sheet, without a function or another rule."""


NEAR = 1e-3
"""Points that a coordinate may differ by, as machines round the sixth decimal differently."""

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e-?\d+)?", re.ASCII)
_MADE_NAME = re.compile(rb"\b(m|p|C\d+_\d+_)[0-9a-f]{10}\b", re.ASCII)
"""Names that matplotlib makes of hashes over coordinates."""


class _ForeignError(Exception):
    """Something that no drawing of ours holds."""


class _Drawing:
    """What a parser meets, refused where it is not of our drawing.

    Attributes:
        texts: element -> the texts of all such elements.
    """

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self._above: list[str] = [""]
        self._written: list[str] = []
        self._defined: set[str] = set()
        self._used: set[str] = set()

    def read(self, content: bytes) -> None:
        """Read a whole file; entities are refused where they are declared, and nothing is loaded.

        Raises:
            _ForeignError: it holds something else than our drawings do.
            expat.ExpatError: it is not XML.
        """
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._written.append
        parser.Parse(content, True)
        if self._used - self._defined:
            raise _ForeignError("a use of what is no path")

    def _declaration(self, _: str, encoding: str | None, standalone: int) -> None:
        if encoding != "utf-8" or standalone != 0:
            raise _ForeignError("another declaration of XML")

    def _doctype(self, _: str, system: str | None, public: str | None, inside: int) -> None:
        if inside or (public, system) != DOCTYPE:
            raise _ForeignError("another document type")

    def _instruction(self, target: str, _: str) -> None:
        raise _ForeignError(f"an instruction <?{target}>")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        above = self._above[-1]
        self._end_text(above)
        if name not in INSIDE.get(above, ()):
            within = f" within <{_brief(above)}>" if above else ""
            raise _ForeignError(f"<{_brief(name)}>{within}")
        shapes = ATTRIBUTES.get(name, {})
        for attribute, value in attributes.items():
            if attribute not in shapes or not re.fullmatch(shapes[attribute], value, re.ASCII):
                raise _ForeignError(f"<{_brief(name)} {_brief(attribute)}={value[:40]!r}>")
        if name == f"{_SVG} path":
            self._defined.add(attributes.get("id", ""))
        self._used.update([attributes[_LINK][1:]] if _LINK in attributes else [])
        self._above.append(name)

    def _end(self, name: str) -> None:
        self._end_text(name)
        self._above.pop()

    def _end_text(self, name: str) -> None:
        """Take the text before a tag for that of the element that it stands in."""
        text = "".join(self._written)
        self._written.clear()
        is_sheet = name == f"{_SVG} style" and re.fullmatch(_SHEET, text, re.ASCII)
        if name in TEXTS:
            self.texts.setdefault(name, []).append(text)
        elif text.strip() and not is_sheet:
            raise _ForeignError(f"text within <{_brief(name)}>")


def read_drawing(path: Path) -> tuple[dict[str, list[str]], str]:
    """Read a picture that our drawing may have made.

    Args:
        path: an SVG file, whoever wrote it.

    Returns:
        Element -> its texts; what the file holds that no drawing of ours does, empty if nothing.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        return {}, f"more than {LARGEST:,} bytes"
    found = _Drawing()
    try:
        found.read(content)
    except (_ForeignError, expat.ExpatError, ValueError) as error:
        # expat knows few encodings, and says so by a ValueError of Python's codecs.
        return {}, str(error)
    return found.texts, ""


def is_alike(one: bytes, other: bytes) -> bool:
    """Check if two files are of one drawing: all is equal, but for the last digits of numbers."""
    if one == other:
        return True
    spelled = [_with_plain_names(each) for each in (one, other)]
    if _NUMBER.sub(b"0", spelled[0]) != _NUMBER.sub(b"0", spelled[1]):
        return False
    numbers = (map(float, _NUMBER.findall(each)) for each in spelled)
    return all(abs(a - b) <= NEAR for a, b in zip(*numbers, strict=True))


def _with_plain_names(content: bytes) -> bytes:
    """Return a file whose made names are numbers, in the order in which they come."""
    places: dict[bytes, bytes] = {}
    return _MADE_NAME.sub(lambda m: places.setdefault(m[0], b"made%d" % len(places)), content)


def _brief(name: str) -> str:
    """Return a name as people write it, without the address of its namespace."""
    return name.rpartition(" ")[2][:40]
