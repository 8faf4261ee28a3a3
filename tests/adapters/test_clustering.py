"""The head of unsupervised clustering, and the network of its views, against plain references."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from adapters.clustering import UnsupervisedClustering
from adapters.dialogue import Fusion
from adapters.native.cluster_head import contrast
from adapters.native.trusted_items import cluster, kept_clusters, trusted
from harness.adapter import Assigned, Batch


def unit(seed: int, count: int, size: int = 6) -> torch.Tensor:
    points = torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(points.double())


def test_contrast_is_khoslas_equation_2():
    points, temperature = unit(0, 7), 0.3
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 0])
    alike = labels[:, None] == labels[None]
    found = contrast(points, alike, torch.ones_like(alike), temperature)
    for i in range(7):
        others = [a for a in range(7) if a != i]
        own = [p for p in others if labels[p] == labels[i]]
        below = sum(np.exp(float(points[i] @ points[a]) / temperature) for a in others)
        logs = [np.log(np.exp(float(points[i] @ points[p]) / temperature) / below) for p in own]
        wanted = -np.mean(logs) if own else 0.0
        assert float(found[i]) == pytest.approx(wanted)


def test_a_point_that_stands_against_nothing_has_no_loss_and_no_gradient():
    points = unit(1, 3).requires_grad_()
    against = torch.zeros(3, 3, dtype=torch.bool)
    loss = contrast(points, torch.ones_like(against), against, 0.2)
    loss.sum().backward()
    assert loss.tolist() == [0, 0, 0]
    assert points.grad is not None
    assert bool((points.grad == 0).all())


def head(**fields):
    torch.manual_seed(0)
    return UnsupervisedClustering(**fields).build(6, 3).train()


def batch(count: int, assigned: Assigned | None = None) -> Batch:
    items = torch.arange(count // 2)
    pairs = torch.stack((items, items + count // 2), dim=1)
    return Batch(torch.zeros(count, dtype=torch.int64), pairs=pairs, assigned=assigned)


def test_with_nothing_trusted_the_loss_is_that_of_views():
    made, points = head(), unit(2, 8).float()
    nothing = Assigned(torch.zeros(8, dtype=torch.int64), torch.zeros(8))
    assert float(made(points, batch(8, nothing)).loss) == pytest.approx(
        float(made(points, batch(8)).loss), rel=1e-6
    )


def test_trusted_items_are_contrasted_with_trusted_items_alone():
    made, points = head(), unit(3, 8).float()
    weights = torch.tensor([1.0, 1, 0, 0, 1, 1, 0, 0])
    found = made(points, batch(8, Assigned(torch.zeros(8, dtype=torch.int64), weights)))
    other = points.clone()
    other[2] = unit(9, 1)[0]
    again = made(other, batch(8, Assigned(torch.zeros(8, dtype=torch.int64), weights)))
    assert found.statistics["cluster_loss"] == again.statistics["cluster_loss"]
    assert found.statistics["contrast_loss"] != again.statistics["contrast_loss"]


def blobs(counts: list[int], spread: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(0)
    middles = np.eye(len(counts), 6)
    parts = [m + spread * rng.normal(size=(n, 6)) for m, n in zip(middles, counts, strict=True)]
    return np.concatenate(parts)


def test_trust_grows_by_delta_after_the_contrast_of_views():
    made = head(thres=0.2, delta=0.3, least=0, pretrain=0.4)
    points = torch.from_numpy(blobs([40, 40, 40])).float()
    shares = [made.assign(points, progress).statistics for progress in (0, 0.2, 0.4, 0.6, 0.8, 0.9)]
    assert [each["trusted_share"] for each in shares[:2]] == [0, 0]
    assert [each["trust_threshold"] for each in shares[2:]] == pytest.approx([0.2, 0.5, 0.8, 1.0])
    assert [each["trusted_share"] for each in shares[2:]] == pytest.approx([0.2, 0.5, 0.8, 1.0])
    assert made.logits(points).argmax(dim=1).unique().numel() == 3


def test_a_small_cluster_is_trusted_to_its_least():
    points, labels = blobs([60, 8]), np.repeat([0, 1], [60, 8])
    chosen = trusted(points, labels, 0.1, 5)
    assert chosen[labels == 0].sum() == 6
    assert chosen[labels == 1].sum() == 5
    assert trusted(points, labels, 0.1, 100).all()


def test_the_densest_are_trusted():
    rng = np.random.default_rng(1)
    points = np.concatenate([0.05 * rng.normal(size=(30, 4)), 2 + rng.normal(size=(30, 4))])
    chosen = trusted(points, np.zeros(60, int), 0.5, 0)
    assert chosen[:30].mean() > 0.9
    assert chosen.sum() == 30


def test_the_number_of_clusters_is_estimated_by_their_size():
    points = blobs([50, 50, 50], spread=0.02)
    assert kept_clusters(np.concatenate([points, points[:1] + 3]), 4, seed=0) == 3
    assert set(np.bincount(cluster(points, 3, seed=0)[0])) == {50}


def test_a_view_keeps_a_modality_at_least_and_its_anchor_if_it_has_one():
    for anchor in ("", "audio"):
        trunk = Fusion(text=3, audio=4, video=5, modality_dropout=0.9, anchor=anchor).build()
        kept = trunk.train()._modalities(400, torch.device("cpu"))
        assert bool((kept.sum(dim=1) >= 1).all())
        assert bool((kept[:, 1] == 1).all()) is (anchor == "audio")
        assert set(kept.flatten().tolist()) == {0, 1}
        assert bool((trunk.eval()._modalities(5, torch.device("cpu")) == 1).all())


def test_words_are_averaged_without_padding_and_dropped_in_training_alone():
    trunk = Fusion(text=2, frames=4, word_dropout=0.5, base_dim=8).build()
    turn = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [0.0, 0.0], [0.0, 0.0]]])
    assert trunk.eval()._pool(turn).tolist() == [[2, 3]]
    torch.manual_seed(0)
    seen = {tuple(row) for row in trunk.train()._pool(turn.expand(64, 4, 2)).tolist()}
    assert seen == {(1, 2), (3, 4), (2, 3)}


@pytest.mark.parametrize(
    "fields",
    [
        {"thres": 1.5}, {"delta": -0.1}, {"pretrain": 2.0}, {"temperature": 0.0},
        {"clusters": 1}, {"least": -1},
    ],
)  # fmt: skip
def test_fields_of_the_loss_out_of_their_range_are_refused(fields):
    with pytest.raises(ValueError, match="must"):
        UnsupervisedClustering(**fields)


@pytest.mark.parametrize(
    "fields",
    [{"text": 0}, {"frames": 0}, {"word_dropout": 1.0}, {"anchor": "smell"}, {"base_dim": 1}],
)
def test_fields_of_the_network_out_of_their_range_are_refused(fields):
    with pytest.raises(ValueError, match=r"."):
        Fusion(**fields)
