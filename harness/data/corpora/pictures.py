"""A folder of pictures a class, with folders for the splits, or split by groups."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import Pixels, Uncompared
from harness.data.item_names import clean_name
from harness.data.reading.audio_corpus import own_splits
from harness.data.reading.picture_files import IGNORED, list_folders, list_pictures
from harness.data.reading.text_lists import read_text
from harness.data.square_picture import Fit, read_square
from harness.errors import ConfigError, DataError

GROUP = "group"
"""The named part of `name` that is a picture's group."""


class _Listed(NamedTuple):
    path: str
    label: str
    group: str
    split: str


@dataclass(frozen=True, kw_only=True)
class Pictures(Uncompared):
    """Pictures below folders that are named by their classes.

    Attributes:
        size: side of the square that every picture becomes, in pixels.
        colour: pictures in colour; else grey.
        fit: a picture becomes a square by its middle (`crop`), whole on white (`pad`), or out of
            proportion (`stretch`).
        train, validation, test: folders of the splits, each with a folder a class; none of them for
            a corpus that the benchmark splits. Without `validation` it holds training groups out.
        groups: what is never in two splits: each `picture` by itself, the pictures of one `folder`
            below a class's, those whose `name` has one group, or those of one group in a `table`.
        name: a regular expression with a part `(?P<group>...)`, for the names of files.
        table: a file of lines `path<tab>group`, for all pictures; a line `path<tab>group` may head
            it.
        group_name: what a group is, for tables of results (artist, drawer, patient).
        ignore: names of files and folders that are left away, with `*` and `?`; hidden ones always
            are.
    """

    size: int = 256
    colour: bool = True
    fit: Fit = "crop"
    train: str = ""
    validation: str = ""
    test: str = ""
    groups: Literal["picture", "folder", "name", "table"] = "picture"
    name: str = ""
    table: str = ""
    group_name: str = ""
    ignore: tuple[str, ...] = IGNORED

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "image"
    needs_folder: ClassVar[bool] = True

    @property
    def unit(self) -> str:
        """The resampling unit."""
        return self.group_name or ("picture" if self.groups == "picture" else "group")

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every picture, those of a group together; none is opened.

        Raises:
            ConfigError: fields are missing or do not go together.
            DataError: a file is no picture, a link leaves the folder, a class is missing from a
                split, has one picture, or is called like another, or a picture has no group.
        """
        del profile
        self._check_fields(str(folder))
        listed = self._listed(folder)
        check_classes(listed, folder, split_folders=bool(self.train))
        rows = sorted(listed, key=lambda each: (each.group, each.path))
        facts = [
            (each.path, each.group, each.label, 0.0, each.path, 0, each.split) for each in rows
        ]
        columns = ["id", "unit", "label", "seconds", "source", "line", "split"]
        return pd.DataFrame(facts, columns=columns)

    def read(self, item: Any, folder: Path) -> Pixels:
        """Decode one picture to a square.

        Raises:
            DamagedItem: it cannot be used.
        """
        return read_square(folder / item.source, self.size, colour=self.colour, fit=self.fit)

    def _listed(self, folder: Path) -> list[_Listed]:
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        splits = own_splits(parts, str(folder)) if any(parts.values()) else {"": ""}
        known = _read_table(folder / self.table) if self.groups == "table" else {}
        listed = []
        for part, split in splits.items():
            below = folder / part
            _check_folders(below, self.ignore)
            for path in list_pictures(below, self.ignore):
                whole = f"{part}/{path}" if part else path
                group = self._group(whole, path, known, folder)
                listed.append(_Listed(whole, path.partition("/")[0], group, split))
        return listed

    def _group(self, whole: str, path: str, known: Mapping[str, str], folder: Path) -> str:
        """Return a picture's group.

        Args:
            whole: its path below the corpus's folder.
            path: its path below the split's.
            known: groups by path, of a table.
            folder: the corpus's, for errors.
        """
        if self.groups == "picture":
            return whole
        if self.groups == "folder":
            between = path.split("/")[1:-1]
            if between:
                return between[0]
            raise DataError(
                f"{folder / whole}: lies in no folder below its class's, which is to name its "
                'group; move it into one, or set `groups` to "picture", "name" or "table"'
            )
        if self.groups == "table":
            group = known.get(whole, "")
            if group:
                return group
            raise DataError(f"{folder / self.table}: no line for {whole!r}; add its group")
        found = re.fullmatch(self.name, os.path.basename(path))
        if found is None or not found[GROUP]:
            raise DataError(
                f"{folder / whole}: its name does not tell its group by {self.name!r}; mend "
                "`name`, or leave the file away by `ignore`"
            )
        return found[GROUP]

    def _check_fields(self, where: str) -> None:
        """Refuse fields that say nothing together."""
        for key in ("name", "table"):
            if bool(getattr(self, key)) != (self.groups == key):
                given = "is given" if getattr(self, key) else "is missing"
                raise ConfigError(f"{where}: `{key}` {given} and `groups` is {self.groups!r}")
        if not 1 <= self.size <= 1024:
            raise ConfigError(f"{where}: `size` is {self.size}; give 1 to 1024 pixels")
        if self.groups == "name":
            try:
                pattern = re.compile(self.name)
            except re.error as error:
                raise ConfigError(f"{where}: `name` is no regular expression ({error})") from error
            if GROUP not in pattern.groupindex:
                raise ConfigError(
                    f"{where}: `name` has no part (?P<group>...), as '(?P<group>\\w+)_.*' has"
                )


def check_classes(listed: Iterable[_Listed], folder: Path, *, split_folders: bool) -> None:
    """Refuse classes that cannot be learnt and judged as they lie there.

    Args:
        listed: all pictures.
        folder: the corpus's, for errors.
        split_folders: the splits have folders, so that each class must have pictures in each.

    Raises:
        DataError: names of two classes differ in letter case or unseen characters alone, a class
            is missing from a split, or has one picture.
    """
    places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each in listed:
        places[each.label][each.split].append(each.path)
    if not places:
        raise DataError(f"{folder}: holds no picture below a class's folder")
    _check_alike(places, folder)
    splits = sorted({split for found in places.values() for split in found})
    for label, found in sorted(places.items()):
        missing = [split for split in splits if split not in found]
        first = next(iter(found.values()))[0]
        if split_folders and missing:
            raise DataError(
                f"{folder / first}: the class {label!r} has no picture in the split "
                f"{' and '.join(split or 'train' for split in missing)}; add some, or take the "
                "class out of the others"
            )
        if sum(map(len, found.values())) == 1:
            raise DataError(
                f"{folder / first}: is the only picture of the class {label!r}, which cannot be "
                "trained and tested with one; add some, or take it out"
            )


def _check_alike(places: Mapping[str, Mapping[str, list[str]]], folder: Path) -> None:
    spelled: dict[str, str] = {}
    for label in sorted(places):
        other = spelled.setdefault(clean_name(label).casefold(), label)
        if other != label:
            one, two = (folder / next(iter(places[each].values()))[0] for each in (other, label))
            raise DataError(
                f"{folder}: the classes {other!r} ({one.parent}) and {label!r} ({two.parent}) "
                "differ in letter case alone; give them one name, or two that differ"
            )


def _check_folders(folder: Path, ignore: tuple[str, ...]) -> None:
    """Refuse a split's folder that is not there, and a class's without a picture."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the folders of the splits as they are")
    names = list_folders(folder, ignore)
    if not names:
        raise DataError(f"{folder}: holds no folders; one a class is wanted")
    full = {path.partition("/")[0] for path in list_pictures(folder, ignore)}
    empty = [name for name in names if name not in full]
    if empty:
        raise DataError(
            f"{folder / empty[0]}: no picture is below it; unpack it again, or name it in `ignore` "
            "where it is no class"
        )


def _read_table(path: Path) -> dict[str, str]:
    """Read lines of a path and a group, separated by a tab.

    Raises:
        DataError: absent, a line is of another form, or a path comes twice.
    """
    groups: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or (number == 1 and line.split("\t") == ["path", "group"]):
            continue
        words = [word.strip() for word in line.split("\t")]
        if len(words) != 2 or not all(words):
            raise DataError(f"{path}: line {number}: {line!r} is not a path, a tab and a group")
        if words[0] in groups:
            raise DataError(f"{path}: line {number}: {words[0]!r} stands in an earlier line too")
        groups[words[0]] = words[1]
    return groups
