"""A task of one's own: embeddings are clustered, and the clusters compared with the labels.

It lies beside the benchmark file that names it (or in any installed package):

    [suites.clusters]
    title = "Clusters of voices"
    task = "clustering_task:Clustering"
    protocol = 1
    datasets = ["voices"]
    models = ["tiny"]
    losses = ["aam"]
    profiles.quick = { recipe = "short" }

`harness plan`, `run`, `verify`, `submit` and the tables take it as they take the harness's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from harness.datasets.dataset import OpenDataset
from harness.datasets.listing import Listing
from harness.metrics.clustering import normalised_mutual_information
from harness.records.record import Metric, MetricFacts
from harness.tasks.plain import standardised_features
from harness.tasks.task import TRAINING_ACCURACY, Detailing, Judgement, Lists, Scores, Side


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """k-means with a cluster for each label, judged by normalised mutual information.

    Attributes:
        restarts: k-means is begun so often; the tightest clusters count.
        seed: of the first centres.
    """

    restarts: int = 10
    seed: int = 0

    version: ClassVar[int] = 1
    validation_version: ClassVar[int] = 1
    primary: ClassVar[str] = "nmi"
    output: ClassVar[str] = "embedding"
    facts: ClassVar[Mapping[str, MetricFacts]] = {
        "nmi": MetricFacts(title="NMI", unit="", higher_is_better=True, decimals=3),
        "training_accuracy": TRAINING_ACCURACY,
    }
    baseline_name: ClassVar[str] = "clusters of MFCC statistics"
    scores_with_training: ClassVar[bool] = False

    # Members that a task may leave out (`harness.tasks.task.TaskOptions`): nothing is decided on
    # the validation split, NMI is at most 1, and reports have a section of the task's own.
    decides: ClassVar[tuple[str, ...]] = ()
    maxima: ClassVar[Mapping[str, float]] = {"nmi": 1.0}
    sections: ClassVar[tuple[str, ...]] = ("clustering_section:section",)

    def parameters(self) -> dict[str, Any]:
        """Return the rules that a table states."""
        return {"clusters": "one for each label", "restarts": self.restarts}

    def lists(self, listing: Listing, split: str, left_out: Sequence[str] = ()) -> Lists:
        """Return the split's items; there are no trials."""
        return Lists(listing.split_items(split, left_out), listing.classes)

    def validate(self, side: Side) -> dict[str, float]:
        """Compute NMI on validation, by which weights are selected."""
        clusters = self._cluster(side)
        return {"nmi": normalised_mutual_information(_labels(side.lists), clusters)}

    def score(self, validation: Side, test: Side, training: Side | None) -> Scores:
        """Return the cluster of each test item, `[items]`."""
        del validation, training
        return {"clusters": self._cluster(test)}

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Compute NMI of test, and with each unit left out, which pairs two entries."""
        labels, clusters = _labels(lists), scores["clusters"]
        units = lists.items["unit"].to_numpy(str)
        without = {
            unit: normalised_mutual_information(labels[units != unit], clusters[units != unit])
            for unit in np.unique(units).tolist()
        }
        value = normalised_mutual_information(labels, clusters)
        return Judgement({"nmi": Metric(value=value, unit="")}, {"nmi": without})

    def detail(self, lists: Lists, scores: Scores) -> Detailing:
        """Return no breakdowns: NMI of a group would compare other clusters."""
        del lists, scores
        return Detailing({})

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Return mean and deviation of 20 MFCCs of each utterance."""
        return standardised_features(dataset, split)

    def _cluster(self, side: Side) -> NDArray[np.int32]:
        count = len(np.unique(_labels(side.lists)))
        found = KMeans(count, n_init=self.restarts, random_state=self.seed)
        return found.fit_predict(side.outputs).astype(np.int32)


def _labels(lists: Lists) -> NDArray[np.str_]:
    return lists.items["label"].to_numpy(str)
