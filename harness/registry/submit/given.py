"""A submission as it was given: the name of its entry, and its files or claims."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RequestError, nearest
from harness.records.names import wrong_name, wrong_text
from harness.records.record import Metric, MetricFacts, Submission


@dataclass(frozen=True, kw_only=True)
class SubmittedEntry:
    """The description of an entry.

    Attributes:
        name: its row's.
        submitter: who gives it.
        source: where it is described, an address or text.
        system: what made it, in words.
    """

    name: str
    submitter: str = ""
    source: str = ""
    system: str = ""


@dataclass(frozen=True, kw_only=True)
class Given:
    """One of scores, embeddings and claims.

    Attributes:
        scores: of the test trials, or of classes for each test item.
        validation_scores: of the validation trials, from the same system.
        embeddings: of items.
        claims: `METRIC=VALUE`, as published elsewhere.
    """

    scores: Path | None = None
    validation_scores: Path | None = None
    embeddings: Path | None = None
    claims: tuple[str, ...] = ()

    @property
    def made_from(self) -> str:
        """`claim`, `embeddings` or `scores`, as records say it."""
        return "claim" if self.claims else "embeddings" if self.embeddings else "scores"

    @property
    def files(self) -> dict[str, Path]:
        """The files, by the options that give them."""
        names = ("scores", "validation_scores", "embeddings")
        every = {name.replace("_", "-"): getattr(self, name) for name in names}
        return {option: path for option, path in every.items() if path is not None}

    def describe(self, entry: SubmittedEntry) -> Submission:
        """Return the part of a record that describes a submission, without its files' hashes."""
        texts = {name: text for name, text in vars(entry).items() if name != "name"}
        return Submission.model_validate({**texts, "made_from": self.made_from})


def check_given(entry: SubmittedEntry, given: Given) -> None:
    """Refuse options that do not go together, and names that no table can show.

    Raises:
        RequestError: what is wrong, and what would be right.
    """
    if [bool(given.scores), bool(given.embeddings), bool(given.claims)].count(True) != 1:
        raise RequestError("give one of --scores, --embeddings and --claim")
    if given.validation_scores and not given.scores:
        raise RequestError("--validation-scores belong to --scores; give these too")
    if given.claims and not entry.source:
        raise RequestError("--claim: a claim needs --source, where the figure was published")
    reasons = {
        "name": wrong_name(entry.name),
        "submitter": wrong_text(entry.submitter),
        "source": wrong_text(entry.source, is_source=True),
        "system": wrong_text(entry.system),
    }
    for option, reason in reasons.items():
        if reason:
            shown = f" {getattr(entry, option)!r:.60}" if getattr(entry, option) else ""
            raise RequestError(f"--{option}{shown}: {reason}")


def read_claims(
    texts: Iterable[str],
    facts: Mapping[str, MetricFacts],
    primary: str,
    maxima: Mapping[str, float],
) -> dict[str, Metric]:
    """Read `METRIC=VALUE` as often as it is given; a rate is a fraction, or ends in `%`.

    Args:
        texts: as they were given.
        facts: of the suite's metrics.
        primary: the metric without which no row can be sorted.
        maxima: the largest values of metrics that are no rates and have one.

    Raises:
        RequestError: a metric is unknown, comes twice or has no such value; the primary is absent.
    """
    claimed: dict[str, Metric] = {}
    for text in texts:
        name, equals, written = (part.strip() for part in text.partition("="))
        if not equals:
            raise RequestError(f"--claim {text}: write METRIC=VALUE, as in eer=0.0123")
        if name not in facts:
            raise RequestError(f"--claim {text}: the suite has no metric {name!r}; "
                               f"{nearest(name, facts)}")  # fmt: skip
        is_rate = facts[name].unit == "%"
        share = 100 if is_rate and written.endswith("%") else 1
        try:
            value = float(written.removesuffix("%") if share > 1 else written) / share
        except ValueError as error:
            raise RequestError(f"--claim {text}: {written!r} is not a number") from error
        most = 1.0 if is_rate else maxima.get(name, math.inf)
        if not (math.isfinite(value) and 0 <= value <= most):
            want = f"want 0 to {most:g}"
            hint = "rates are fractions: write 0.0123, or 1.23%" if is_rate else want
            raise RequestError(f"--claim {text}: {value:g} is out of range; {hint}")
        if name in claimed:
            raise RequestError(f"--claim {text}: {name} is claimed twice; claim it once")
        claimed[name] = Metric(value=value, unit=facts[name].unit)
    if primary not in claimed:
        raise RequestError(f"--claim: the table is sorted by {primary}; claim it too")
    return claimed
