"""Published figures of other projects, from a file beside the tables: `references.toml`.

They are shown beside tables of the same dataset, and are in no rank and on no front: their authors
trained, enrolled and scored by rules of their own, which stand with them.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from harness.board.standing.table import Table
from harness.config.imports import explain
from harness.errors import RequestError, nearest, unreadable
from harness.records.documents import Part
from harness.records.record import MetricFacts

SCHEMA: Final = 1

FILE = "references.toml"

Rate = Annotated[Decimal, Field(ge=0, le=1)]
"""A published figure with the digits of its source: 0.0670 is not 0.067. Rates are fractions."""


class Reference(Part):
    """One published system."""

    system: str = Field(min_length=1, description="as its source calls it")
    loss: str | None = Field(default=None, description="where the source compares losses")
    metrics: dict[str, Rate] = Field(min_length=1)
    parameters: int | None = Field(default=None, gt=0)
    macs: int | None = Field(default=None, gt=0, description="multiply-adds of a forward pass")
    scoring: str = Field(default="", description="what was done beyond the source's plain scoring")
    large_margin: bool = Field(default=False, description="whether it was fine-tuned with one")
    note: str = ""


class Rules(Part):
    """Rules by which a source's figures were made, as far as they are known."""

    training: str = ""
    augmentation: str = ""
    fine_tuning: str = ""
    trials: str = ""
    enrolment: str = ""
    scoring: str = ""


class Publication(Part):
    """One page that publishes figures on one dataset."""

    toolkit: str = Field(min_length=1)
    dataset: str
    repository: str = Field(pattern=r"^https://[^\s<>]+$")
    commit: str = Field(pattern="^[0-9a-f]{40}$")
    path: str = Field(pattern=r"^[^\s<>]+$", description="of the page in its repository")
    protocol: Rules
    rows: tuple[Reference, ...] = Field(min_length=1)

    @property
    def address(self) -> str:
        """Address of the page, as it was read."""
        return f"{self.repository}/blob/{self.commit}/{self.path}"


class ReferenceData(Part):
    """A dataset that figures were published on."""

    title: str = Field(min_length=1)
    suites: tuple[str, ...] = Field(min_length=1, description="on whose pages they are shown")


class ReferenceFile(Part):
    """Content of the file."""

    file_schema: Literal[1] = Field(default=SCHEMA, alias="schema")
    metrics: dict[str, MetricFacts] = Field(default_factory=dict)
    datasets: dict[str, ReferenceData] = Field(default_factory=dict)
    sources: tuple[Publication, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> ReferenceFile:
        for number, source in enumerate(self.sources):
            if source.dataset not in self.datasets:
                told = nearest(source.dataset, self.datasets)
                raise ValueError(f"sources.{number}.dataset: unknown {source.dataset!r}; {told}")
            _check_rows(source.rows, f"sources.{number}.rows", self.metrics)
        return self


@dataclass(frozen=True)
class ReferenceGroup:
    """The published figures on one dataset.

    Attributes:
        dataset: its name, as benchmark files call it.
        metrics: the facts of those that some figure is of, in the file's order.
    """

    dataset: str
    title: str
    metrics: dict[str, MetricFacts]
    sources: tuple[Publication, ...]

    @property
    def rows(self) -> list[tuple[int, Publication, Reference]]:
        """Every figure in the file's order, with its source and that source's number, from 1."""
        numbered = enumerate(self.sources, start=1)
        return [(number, source, row) for number, source in numbered for row in source.rows]


@dataclass(frozen=True)
class References:
    """Published figures of other projects.

    Attributes:
        file: content of the file; empty if there is none.
    """

    file: ReferenceFile = field(default_factory=ReferenceFile)

    def of(self, suite: str) -> list[ReferenceGroup]:
        """Return all figures of a suite, dataset by dataset."""
        return self._groups(suite, self.file.datasets)

    def beside(self, table: Table) -> list[ReferenceGroup]:
        """Return the figures on a table's dataset: one group, or none."""
        return self._groups(table.protocol.suite, [table.dataset.name])

    def elsewhere(self, suite: str, shown: Iterable[str]) -> list[ReferenceGroup]:
        """Return the figures of a suite on datasets of which its page has no table.

        Args:
            suite: its name.
            shown: datasets of the page's tables.
        """
        left = self.file.datasets.keys() - set(shown)
        return self._groups(suite, [name for name in self.file.datasets if name in left])

    def _groups(self, suite: str, datasets: Iterable[str]) -> list[ReferenceGroup]:
        known = self.file.datasets
        wanted = [name for name in datasets if name in known and suite in known[name].suites]
        return [group for name in wanted if (group := self._group(name)).sources]

    def _group(self, dataset: str) -> ReferenceGroup:
        sources = tuple(each for each in self.file.sources if each.dataset == dataset)
        used = {metric for each in sources for row in each.rows for metric in row.metrics}
        facts = {name: each for name, each in self.file.metrics.items() if name in used}
        return ReferenceGroup(dataset, self.file.datasets[dataset].title, facts, sources)


def references(folder: Path) -> References:
    """Read the references beside published tables; none if the folder has no such file.

    Raises:
        RequestError: the file cannot be read, or says what cannot be; each key is named.
    """
    path = folder / FILE
    if not path.exists():
        return References()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=_figure)
        return References(ReferenceFile.model_validate(document))
    except OSError as error:
        raise RequestError(unreadable(path, error)) from error
    except ValidationError as error:
        raise RequestError(explain(error, f"{path}: ", _keys_at)) from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{path}: not TOML: {error}") from error


def _figure(text: str) -> Decimal:
    """Return a number with the digits with which it is written.

    Raises:
        ValueError: it is beyond what floats hold; as an integer it would take minutes and more.
    """
    value = Decimal(text)
    if abs(value.adjusted()) > sys.float_info.max_10_exp:
        raise ValueError(f"{text:.20} is out of range")
    return value


def _check_rows(rows: Iterable[Reference], where: str, metrics: dict[str, MetricFacts]) -> None:
    seen: dict[Any, int] = {}
    for number, row in enumerate(rows):
        for name in row.metrics:
            if name not in metrics:
                told = nearest(name, metrics)
                raise ValueError(f"{where}.{number}.metrics.{name}: unknown metric; {told}")
        key = row.system, row.loss, row.scoring, row.large_margin
        if key in seen:
            raise ValueError(f"{where}.{number}: says again what {where}.{seen[key]} is")
        seen[key] = number


def _keys_at(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the table at a place of the file."""
    named = tuple(part for part in place if isinstance(part, str))
    tables: dict[tuple[str, ...], type[Part]] = {
        (): ReferenceFile,
        ("sources",): Publication,
        ("sources", "protocol"): Rules,
        ("sources", "rows"): Reference,
    }
    by_name: dict[str, type[Part]] = {"metrics": MetricFacts, "datasets": ReferenceData}
    model: type[Part] = tables.get(named) or by_name.get(named[0], Part)
    fields = model.model_fields
    return [field.alias or name for name, field in fields.items()]
