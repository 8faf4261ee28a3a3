"""Classes discovered without labels: embeddings are clustered, and the clusters held to labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from harness.adapter import Input, Vectors
from harness.datasets.dataset import OpenDataset
from harness.datasets.listing import Listing
from harness.errors import DataError
from harness.metrics.cluster_tables import (
    SCORES,
    assignment,
    counts_by_unit,
    left_one_out,
    score_intervals,
)
from harness.records.details_schema import Breakdown, Group, GroupMetric
from harness.records.record import Metric, MetricFacts
from harness.tasks import groupings
from harness.tasks.clusterers import NAMED, estimate_clusters, k_means, silhouette
from harness.tasks.groupings import Grouping
from harness.tasks.task import (
    TRAINING_ACCURACY,
    Detailing,
    Judgement,
    Lists,
    Output,
    Scores,
    Side,
)
from harness.tasks.turn_features import turn_features

CLUSTERS, GIVEN = "clusters", "cluster_number"
"""Arrays of the scores: the cluster of each test item, and the number that was asked for."""


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """k-means over the embeddings of a split, judged by NMI, ARI, accuracy and Fowlkes-Mallows.

    Labels judge clusters and do nothing else. The split that is judged is clustered by itself, as
    the field does it. Weights are selected by the silhouette of validation.

    Attributes:
        clusters: `given` is one for each label of the training split; `estimated` is the number
            with the largest silhouette of validation.
        most: clusters that an estimate tries at most.
        restarts: of k-means; the tightest clusters count.
        resamples: draws of units behind an interval.
        seed: of k-means and of the draws.
    """

    clusters: Literal["given", "estimated"] = "given"
    most: int = 30
    restarts: int = 10
    resamples: int = 1000
    seed: int = 20261129

    version: ClassVar[int] = 1
    validation_version: ClassVar[int] = 1
    primary: ClassVar[str] = "nmi"
    selects: ClassVar[str] = "silhouette"
    output: ClassVar[Output] = "embedding"
    baseline_name: ClassVar[str] = "k-means"
    baseline_input: ClassVar[Input] = Vectors()
    further_baselines: ClassVar[tuple[str, ...]] = tuple(NAMED)
    sections: ClassVar[tuple[str, ...]] = (
        "harness.report.sections.clusters:section",
        "harness.report.sections.embedding_space:section",
    )
    # The adjusted Rand index is no rate: clusters that are worse than chance have one below 0.
    maxima: ClassVar[Mapping[str, float]] = {"ari": 1.0}
    facts: ClassVar[Mapping[str, MetricFacts]] = {
        "nmi": MetricFacts(title="NMI", unit="%", higher_is_better=True),
        "ari": MetricFacts(title="ARI", unit="", higher_is_better=True, decimals=3),
        "cluster_accuracy": MetricFacts(title="ACC", unit="%", higher_is_better=True),
        "fmi": MetricFacts(title="FMI", unit="%", higher_is_better=True),
        "training_accuracy": TRAINING_ACCURACY,
    }

    def parameters(self) -> dict[str, Any]:
        """Return how clusters are found and intervals made."""
        rule = "one for each label" if self.clusters == "given" else "by silhouette of validation"
        return {
            "clusters": f"k-means++ of the split that is judged, {self.restarts} restarts; {rule}",
            "interval": f"95 %, units resampled {self.resamples} times, logit-t",
        }

    @property
    def scores_with_training(self) -> bool:
        """The split that is judged is enough."""
        return False

    @property
    def decides(self) -> tuple[str, ...]:
        """Validation decides the number of clusters, if it is estimated."""
        return () if self.clusters == "given" else (GIVEN,)

    def lists(self, listing: Listing, split: str, left_out: Sequence[str] = ()) -> Lists:
        """Return the split's labels.

        Raises:
            DataError: the split has fewer than two labels, or two units.
        """
        items = listing.split_items(split, left_out)
        for column, what in (("label", "labels"), ("unit", "units")):
            if items[column].nunique() < 2:
                raise DataError(
                    f"{listing.name}: {split}: fewer than two {what}; clusters of it tell nothing"
                )
        return Lists(items, listing.classes)

    def validate(self, side: Side) -> dict[str, float]:
        """Compute the four scores for curves, and the silhouette, which selects weights."""
        points = _points(side)
        found = k_means(points, self._number(side), self.restarts, self.seed)
        table = counts_by_unit(_labels(side.lists), found, np.zeros(len(found), int))[0]
        scores = {name: float(score(table)) for name, score in SCORES.items()}
        return {**scores, "silhouette": silhouette(points, found, self.seed)}

    def score(self, validation: Side, test: Side, training: Side | None) -> Scores:
        """Return the cluster of each test item, and their number."""
        del training
        number = self._number(validation)
        return _scores(k_means(_points(test), number, self.restarts, self.seed), number)

    def score_baseline(self, name: str, validation: Side, test: Side) -> Scores:
        """Return the same by one of `further_baselines`."""
        number = self._number(validation)
        return _scores(NAMED[name](_points(test), number, self.seed), number)

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Compute the four scores of test with their intervals, and each unit left out."""
        clusters = _clusters(lists, scores)
        units = lists.items["unit"].to_numpy(str)
        counts = counts_by_unit(_labels(lists), clusters, units)
        whole, names = counts.sum(axis=0), np.unique(units).tolist()
        intervals = score_intervals(counts, resamples=self.resamples, seed=self.seed)
        metrics = {}
        for name, score in SCORES.items():
            ends, value = intervals[name], float(score(whole))
            unit = self.facts[name].unit
            metrics[name] = Metric(value=value, low=ends.low, high=ends.high, unit=unit)
        return Judgement(
            metrics=metrics,
            left_one_out={
                name: dict(zip(names, values.tolist(), strict=True))
                for name, values in left_one_out(counts).items()
            },
            notes=tuple(_notes(clusters, scores)),
        )

    def detail(self, lists: Lists, scores: Scores) -> Detailing:
        """Tell of each class how much of it its cluster holds, under the best assignment."""
        labels, clusters = _labels(lists), _clusters(lists, scores)
        units = lists.items["unit"].to_numpy(str)
        table = counts_by_unit(labels, clusters, np.zeros(len(labels), int))[0]
        own = assignment(table)
        names, codes = np.unique(labels, return_inverse=True)
        recovered = {
            str(name): float(table[row, own[row]] / table[row].sum()) if own[row] >= 0 else 0.0
            for row, name in enumerate(names)
        }

        def judge(name: str, chosen: NDArray[np.bool_]) -> Group:
            enough = int(chosen.sum()) >= groupings.FEWEST
            metric = GroupMetric(value=recovered[name]) if enough else None
            many = len(np.unique(units[chosen]))
            return Group(
                name=name, units=many, items=int(chosen.sum()), metrics={"cluster_accuracy": metric}
            )

        rule = "items of that class; ACC is the share of them in the cluster that stands for it"
        grouping = Grouping("class", rule, tuple(map(str, names)), codes.astype(np.int64))
        found: dict[str, Breakdown] = {"class": grouping.broken_down(judge)}
        return Detailing(found if len(names) > 1 else {})

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Return the turns' own vectors, pooled."""
        return turn_features(dataset, split)

    def _number(self, side: Side) -> int:
        """Return the number of clusters, estimated on validation if it is not given."""
        if self.clusters == "given":
            return len(side.lists.classes)
        return estimate_clusters(_points(side), self.most, 1, self.seed)


def _scores(clusters: NDArray[np.int64], number: int) -> Scores:
    return {CLUSTERS: clusters.astype(np.int32), GIVEN: np.array([number], dtype=np.int32)}


def _points(side: Side) -> NDArray[np.float64]:
    """Return the outputs as points to cluster.

    Raises:
        DataError: one is not finite.
    """
    if not np.isfinite(side.outputs).all():
        raise DataError("embeddings hold NaN or infinity; nothing can be clustered")
    return side.outputs.astype(np.float64)


def _labels(lists: Lists) -> NDArray[np.str_]:
    return lists.items["label"].to_numpy(str)


def _clusters(lists: Lists, scores: Scores) -> NDArray[np.int64]:
    clusters = np.asarray(scores[CLUSTERS])
    if clusters.shape != (len(lists.items),) or clusters.dtype.kind not in "iu":
        raise DataError(
            f"clusters of shape {clusters.shape} and type {clusters.dtype}; these lists want "
            f"({len(lists.items)},) whole numbers"
        )
    return clusters.astype(np.int64)


def _notes(clusters: NDArray[np.int64], scores: Scores) -> list[str]:
    """Return the note of a row whose clusters are not as many as were asked for."""
    found = len(np.unique(clusters))
    asked = int(np.asarray(scores[GIVEN]).ravel()[0]) if GIVEN in scores else found
    if found == asked:
        return []
    one = found == 1
    noise = (" (it is noise)" if one else " (one of them is noise)") if (clusters < 0).any() else ""
    return [f"found {found} cluster{'' if one else 's'}{noise}, {asked} were asked for"]
