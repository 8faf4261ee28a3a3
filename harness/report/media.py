"""Pictures and sounds within a page: the kind of a file by its bytes, and its data address."""

from __future__ import annotations

from base64 import b64encode

KINDS = {
    b"\x89PNG": ("png", "image/png"),
    b"\xff\xd8\xff": ("jpg", "image/jpeg"),
    b"fLaC": ("flac", "audio/flac"),
}
"""First bytes of a file -> its ending and media type."""

OTHERS = ("svg", "image/svg+xml")


def ending(content: bytes) -> str:
    """Return the ending of a file with this content."""
    return _kind(content)[0]


def data_address(content: bytes) -> str:
    """Return a file as an address that holds all of it (RFC 2397).

    >>> data_address(b"<svg/>")
    'data:image/svg+xml;base64,PHN2Zy8+'
    """
    return f"data:{_kind(content)[1]};base64,{b64encode(content).decode()}"


def _kind(content: bytes) -> tuple[str, str]:
    return next((kind for start, kind in KINDS.items() if content.startswith(start)), OTHERS)
