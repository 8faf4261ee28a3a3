"""Words for the axis of a curve: the budget, or a number of datasets."""

from __future__ import annotations

from dataclasses import dataclass

from harness.board.standing.curve import TablesCurve
from harness.board.standing.table import family
from harness.board.writing.captions import data_title


@dataclass(frozen=True)
class AxisWords:
    """What pages call an axis, its levels and the places on it; `{}` stands for levels.

    Attributes:
        title: the axis.
        over: what a heading says the metric is over.
        alt: what a picture shows.
        grid: what the columns of a table are.
        place: a level, in a sentence on significance.
        pairs: of which pairs are corrected together.
        several: levels.
        every, at, onwards, up_to: where on the axis something holds.
        absent: before the levels at which an entry has no figure.
        caption: of a picture.
    """

    title: str
    over: str
    alt: str
    grid: str
    place: str
    pairs: str
    several: str
    every: str
    at: str
    onwards: str
    up_to: str
    absent: str
    caption: str


OF_BUDGETS = AxisWords(
    title="crops seen",
    over="budgets",
    alt="against crops seen and training time",
    grid="after so many crops seen",
    place="at this budget",
    pairs="of the budget, and not over budgets",
    several="budgets",
    every="at every budget",
    at="with {} crops",
    onwards="from {} crops on",
    up_to="up to {} crops",
    absent="Not trained with",
    caption="Each point is a training of its own, with its whole schedule. Filled: no other entry "
    "is significantly better at this budget. Bars: interval over the test sample. Dashed: no "
    "training.",
)


def axis_words(curve: TablesCurve) -> AxisWords:
    """Return the words for a curve's axis."""
    return _of_datasets(curve.axis.replace("_", " ")) if curve.is_over_datasets else OF_BUDGETS


def _of_datasets(noun: str) -> AxisWords:
    return AxisWords(
        title=noun,
        over=noun,
        alt="a line for each entry, with intervals",
        grid=f"at each {noun}",
        place="on this dataset",
        pairs="of the dataset, and not over datasets",
        several="datasets",
        every=f"at every {noun}",
        at=f"at {noun} {{}}",
        onwards=f"from {noun} {{}} on",
        up_to=f"up to {noun} {{}}",
        absent=f"No result at {noun}",
        caption="Each point is a dataset of its own. Filled: no other entry is significantly "
        "better on it. Bars: 95 % interval over its test sample. Dashed: no training.",
    )


def curve_title(curve: TablesCurve) -> str:
    """Return the heading of a curve."""
    title = data_title(curve.endpoint)
    if curve.is_over_datasets:
        protocol = curve.endpoint.protocol
        suite = protocol.suite_title or protocol.suite
        title = f"{suite}, {protocol.profile} profile, protocol {protocol.version}"
    return f"{title}: {curve.facts.title} over {axis_words(curve).over}"


def curve_datasets(curve: TablesCurve) -> str:
    """Return the dataset of each level."""
    named = zip(curve.levels, curve.tables, strict=True)
    return ", ".join(f"{family(table)[2]} ({level:,})" for level, table in named)
