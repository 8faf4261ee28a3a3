"""The two sides of a comparison: a version of a suite, a folder of tables, a git revision."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from harness.board.names import slug
from harness.board.standing.archive import Family
from harness.board.standing.rows import Filed
from harness.board.standing.table import Table, tables
from harness.board.store.revision import read_revision
from harness.board.store.shelf import RECORDS, families, load
from harness.errors import RequestError, nearest
from harness.records.record import Record

GIT = "git:"

_VERSION = re.compile(r"(?P<suite>.+)@(?P<version>-?\d+)")

FORMS = "give SUITE@VERSION, a folder of published tables, or git:REVISION"


@dataclass(frozen=True)
class Side:
    """Published tables, or one suite's of one version.

    Attributes:
        name: as it was asked for.
        folder: where they lie.
        suite: the one suite asked for; empty where all are.
        version: of that suite's protocol.
    """

    name: str
    folder: Path
    suite: str = ""
    version: int | None = None

    @cached_property
    def families(self) -> Mapping[Family, list[Path]]:
        """The records' files, of the one suite where one was asked for."""
        found = families(self.folder)
        if not self.suite:
            return found
        return {key: files for key, files in found.items() if slug(key[0]) == slug(self.suite)}

    def records(self, family: Family) -> dict[str, Record]:
        """The records of a family; only those of the version asked for."""
        held = load(self.folder, self.families.get(family, [])).records
        return {
            path: record
            for path, record in held.items()
            if self.version in (None, record.protocol.version)
        }

    def tables(self, family: Family) -> list[Table]:
        """The tables of a family; only those of the version asked for."""
        return tables(Filed(record, path) for path, record in self.records(family).items())


@contextmanager
def side(asked: str, folder: Path) -> Iterator[Side]:
    """One side of a comparison; records of a revision are in a temporary folder meanwhile.

    Args:
        asked: `git:REVISION`, a folder of published tables, or `SUITE@VERSION`.
        folder: the published tables, of which revisions and versions are.

    Raises:
        RequestError: it is none of these.
    """
    if asked.startswith(GIT):
        with tempfile.TemporaryDirectory(prefix="tables-") as temporary:
            read_revision(asked.removeprefix(GIT), folder, Path(temporary))
            yield Side(asked, Path(temporary))
    elif Path(asked).is_dir():
        if not (Path(asked) / RECORDS).is_dir():
            raise RequestError(f"{asked}: holds no published records (no folder {RECORDS}/)")
        yield Side(asked, Path(asked))
    else:
        yield _version(asked, folder)


def _version(asked: str, folder: Path) -> Side:
    found = _VERSION.fullmatch(asked)
    if not found:
        raise RequestError(f"{asked}: no such tables; {FORMS}")
    suite, version = found["suite"], int(found["version"])
    suites = {key[0] for key in families(folder)}
    if slug(suite) not in {slug(each) for each in suites}:
        raise RequestError(f"{asked}: {folder} has no suite {suite!r}; {nearest(suite, suites)}")
    whole = Side(asked, folder, suite)
    known = {r.protocol.version for key in whole.families for r in whole.records(key).values()}
    if version not in known:
        told = ", ".join(map(str, sorted(known)))
        raise RequestError(f"{asked}: {suite} has no protocol version {version}; known: {told}")
    return replace(whole, version=version)
