"""Which endings are those of sounds, and which of them are read here."""

from __future__ import annotations

import soundfile

_FORMATS = {
    ".wav": "WAV",
    ".flac": "FLAC",
    ".ogg": "OGG",
    ".oga": "OGG",
    ".opus": "OGG",
    ".mp3": "MP3",
    ".aif": "AIFF",
    ".aiff": "AIFF",
    ".au": "AU",
    ".caf": "CAF",
    ".sph": "NIST",
    ".w64": "W64",
}

READABLE = frozenset(
    ending for ending, name in _FORMATS.items() if name in soundfile.available_formats()
)
"""In lower case, with the dot; which they are depends on this machine's libsndfile."""

OTHER_SOUNDS = frozenset(
    {".m4a", ".mp4", ".aac", ".wma", ".amr", ".webm", ".mkv", ".mka", ".mov", ".3gp", ".ac3"}
    | {".ape", ".wv", ".spx", ".ra", ".shn"}
    | (_FORMATS.keys() - READABLE)
)
"""Sounds, or films with sound, that must be converted first."""


def mend(ending: str) -> str:
    """What is to be done about a file that is not read here, told by its ending."""
    if ending in OTHER_SOUNDS:
        return f"convert it first, as in `ffmpeg -i in{ending} -ac 1 -ar 16000 out.flac`"
    return 'add its name to `ignore`, as in `ignore = ["*.txt", "*.xyz"]`, or take it out'
