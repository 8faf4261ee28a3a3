"""Damaged copies of a file, for tests of what reads files that people hand over."""

from __future__ import annotations

import gzip
import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.errors import HarnessError

LONG = 1 << 17
"""Characters of a line that is longer than libraries expect (csv takes 131,072 a field)."""

DEEP = 20_000
"""Brackets within each other, more than Python's parsers have room for."""

DIGITS = 5_000
"""Digits of a number that Python refuses to turn into an integer."""

_NUMBER = re.compile(rb"\d+(\.\d+)?")
_PARTING = re.compile(rb"[\t ,;:\"=]")

Damage = Callable[[bytes, random.Random], bytes]


def _utf16(content: bytes, _: random.Random) -> bytes:
    return content.decode("utf-8", errors="replace").encode("utf-16")


def _random(content: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(1, len(content) + 100))


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _inserted(what: bytes) -> Damage:
    def inserted(content: bytes, chance: random.Random) -> bytes:
        place = chance.randrange(len(content))
        return content[:place] + what + content[place:]

    return inserted


def _one_number(what: bytes) -> Damage:
    def changed(content: bytes, chance: random.Random) -> bytes:
        found = list(_NUMBER.finditer(content))
        if not found:
            return what
        start, end = chance.choice(found).span()
        return content[:start] + what + content[end:]

    return changed


def _without_one(content: bytes, chance: random.Random) -> bytes:
    found = list(_PARTING.finditer(content))
    place = chance.choice(found).start() if found else 0
    return content[:place] + content[place + 1 :]


DAMAGES: dict[str, Damage] = {
    "empty": lambda content, _: b"",
    "a blank line": lambda content, _: b"\n",
    "zeros": lambda content, _: bytes(len(content)),
    "random": _random,
    "byte order mark": lambda content, _: b"\xef\xbb\xbf" + content,
    "UTF-16": _utf16,
    "ends of Windows": lambda content, _: content.replace(b"\n", b"\r\n"),
    "ends of old Macs": lambda content, _: content.replace(b"\n", b"\r"),
    "twice": lambda content, _: content + content,
    "packed": lambda content, _: gzip.compress(content, mtime=0),
    "packed and cut": lambda content, chance: _cut(gzip.compress(content, mtime=0), chance),
    "nested": lambda content, _: b"[" * DEEP,
    "nested further on": lambda content, _: b'{"a":' * DEEP,
    "nested value": lambda content, _: b"a = " + b"[" * DEEP,
    "JSON of something else": lambda content, _: b'[1, "a", null]\n',
    "a number alone": lambda content, _: b"1\n",
    "a long line": _inserted(b"a" * LONG),
    "a zero byte": _inserted(b"\0"),
    "a quote": _inserted(b'"'),
    "an escape": _inserted(b"\x1b[31m"),
    "half a surrogate": _inserted(b"\\ud800"),
    "no UTF-8": _inserted(b"\xff\xe9"),
    "a huge integer": _one_number(b"9" * DIGITS),
    "a large integer": _one_number(b"9" * 30),
    "a huge float": _one_number(b"1e999"),
    "no number": _one_number(b"NaN"),
    "no number in TOML": _one_number(b"nan"),
    "infinity in TOML": _one_number(b"-inf"),
    "a negative": _one_number(b"-1"),
    "nothing for a number": _one_number(b"null"),
    "a sign fewer": _without_one,
    "cut": _cut,
    "flipped": _flipped,
}


def damaged(content: bytes, *, seed: int, rounds: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield copies of a file's content with their damage; the chance ones in every round.

    Args:
        content: of a file that is whole.
        seed: of what is left to chance.
        rounds: how often each damage is tried.
    """
    chance = random.Random(seed)
    for number in range(rounds):
        for name, damage in DAMAGES.items():
            yield f"{name} ({seed}/{number})", damage(content, chance)


def damaged_inside(content: bytes, *, seed: int, rounds: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield copies of a zip or gzip file whose container is whole and whose content is not."""
    chance = random.Random(seed)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        for name, inner in damaged(gzip.decompress(content), seed=seed, rounds=rounds):
            yield f"inside: {name}", gzip.compress(inner, mtime=0)
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for number in range(rounds):
        for name, damage in DAMAGES.items():
            member = chance.choice(sorted(members))
            changed = {**members, member: damage(members[member], chance)}
            yield f"{member}: {name} ({seed}/{number})", _zipped(changed)


def refused_or_read(read: Callable[[], object]) -> str:
    """Read a damaged file; gives the message where it is refused, and nothing where it is read.

    Any other error than one of the harness goes through.
    """
    try:
        read()
    except HarnessError as error:
        return str(error)
    return ""


def check_reader(path: Path, read: Callable[[], object], *, seed: int, rounds: int = 1) -> None:
    """Hold a reader against damaged copies of a file: it reads them, or raises a `HarnessError`.

    Args:
        path: a file that is whole, and is whole again afterwards.
        read: reads it, and what belongs to it.
        seed: of what is left to chance.
        rounds: how often each damage is tried.

    Raises:
        AssertionError: another error came through, or a refusal shows control characters.
    """
    whole = path.read_bytes()
    read()
    packed = whole.startswith((b"PK\3\4", b"\x1f\x8b"))
    copies = [*damaged(whole, seed=seed, rounds=rounds)]
    copies += damaged_inside(whole, seed=seed, rounds=rounds) if packed else []
    try:
        for name, content in copies:
            path.write_bytes(content)
            try:
                message = refused_or_read(read)
            except Exception as error:
                raise AssertionError(f"{path.name}, {name}: {error!r:.300}") from error
            if "\x1b" in message or "\0" in message:
                raise AssertionError(f"{path.name}, {name}: control characters in {message!r:.300}")
    finally:
        path.write_bytes(whole)


def _zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()
