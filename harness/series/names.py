"""Names of scalars and vectors, each with its meaning: one glossary for all who show them.

`Test/` is the field's habit: in a series of ours these are numbers of the validation split; test
trials are scored once, after training, and stand in the record.
"""

from __future__ import annotations

from collections.abc import Mapping

VALIDATION = "Test"
"""Group of the numbers of the validation split."""

TRAINING = "Train"

SAMPLE = "TrainEval"
"""Group of the numbers of a fixed sample of training items, in evaluation mode."""

GLOSSARY: Mapping[str, str] = {
    "Train/Loss": "training loss that is minimised, mean over a step's batch",
    "Train/lr": "learning rate",
    "Train/Accuracy": "share of a training batch that the classifier gets right",
    "Train/margin": "margin by which a training example's own class must win",
    "Train/scale": "factor on cosines before the softmax (inverse temperature)",
    "Train/grad_norm": "length of the gradient before it is clipped, by recipes that clip",
    "Train/loss_scale": "factor on the loss in half precision",
    "Train/steps_left_out": "steps so far whose gradients were not finite in half precision",
    "Test/eer": "equal error rate of the validation trials, as a share",
    "Test/min_dcf": "least normalised detection cost of the validation trials",
    "Test/threshold": "score at which both errors of the validation trials are equal",
    "Test/accuracy": "share of validation items whose class is right",
    "Test/raw_loss": "cross-entropy of validation items, without margin or weights",
    "Test/weighted_loss": "loss of validation items as the head computes it in training",
    "TrainEval/accuracy": "share of sampled training items whose class is right",
    "TrainEval/raw_loss": "cross-entropy of sampled training items, without margin or weights",
    "TrainEval/weighted_loss": "loss of sampled training items as the head computes it in training",
}
"""Name -> meaning, in English; a report's languages take the name as the id."""
