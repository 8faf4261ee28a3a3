"""Names of the scalars that a training of ours keeps; a report's languages say what each means.

`Test/` is the field's habit: in a series of ours these are numbers of the validation split; test
trials are scored once, after training, and stand in the record.
"""

from __future__ import annotations

VALIDATION = "Test"
"""Group of the numbers of the validation split."""

TRAINING = "Train"

SAMPLE = "TrainEval"
"""Group of the numbers of a fixed sample of training items, in evaluation mode."""

SCALARS = (
    "Train/Loss",
    "Train/lr",
    "Train/Accuracy",
    "Train/margin",
    "Train/scale",
    "Train/grad_norm",
    "Train/loss_scale",
    "Train/steps_left_out",
    "Train/raw_loss",
    "Train/weighted_loss",
    "Test/eer",
    "Test/min_dcf",
    "Test/threshold",
    "Test/accuracy",
    "Test/pair_accuracy",
    "Test/kendall_tau",
    "Test/nmi",
    "Test/ari",
    "Test/cluster_accuracy",
    "Test/fmi",
    "Test/silhouette",
    "Test/raw_loss",
    "Test/weighted_loss",
    "TrainEval/accuracy",
    "TrainEval/raw_loss",
    "TrainEval/weighted_loss",
    *(
        f"{group}/{name}"
        for group in ("Train", "TrainEval", "Test")
        for name in ("loss_ratio", "gradient_evenness", "weighted_evenness", "hardest_weight")
    ),
    *(
        f"{group}/{name}"
        for group in ("TrainEval", "Test")
        for name in ("hard_weight", "hard_accuracy", "wrong_label_weight", "wrong_label_accuracy")
    ),
)
"""Of every training: those that its recipe, loss and task have."""
