"""Names of scalars and vectors, each with its meaning: one glossary for all who show them.

`Test/` is the field's habit: in a series of ours these are numbers of the validation split; test
trials are scored once, after training, and stand in the record.
"""

from __future__ import annotations

from collections.abc import Mapping

VALIDATION = "Test"
"""Group of the numbers of the validation split."""

TRAINING = "Train"

GLOSSARY: Mapping[str, str] = {
    "Train/Loss": "training loss that is minimised, mean over a step's batch",
    "Train/raw_loss": "training loss before its examples are weighted",
    "Train/lr": "learning rate",
    "Train/Accuracy": "share of a training batch that the classifier gets right",
    "Train/margin": "margin by which a training example's own class must win",
    "Train/scale": "factor on cosines before the softmax (inverse temperature)",
    "Train/grad_norm": "length of the gradient of all weights, before it is clipped",
    "Test/eer": "equal error rate of the validation trials, as a share",
    "Test/min_dcf": "least normalised detection cost of the validation trials",
    "Test/threshold": "score at which both errors of the validation trials are equal",
    "Test/accuracy": "share of validation items whose class is right",
    "Test/loss": "loss of validation items, weighted as in training",
    "Test/raw_loss": "loss of validation items before they are weighted",
}
"""Name -> meaning, in English; a report's languages take the name as the id."""
