"""Conformance suite: the promises of every adapter, for this project's and third parties'."""

from harness.testing.conformance import check_loss, check_model
from harness.testing.fingerprint import Fingerprint, check_fingerprint, fingerprint
from harness.testing.requirements import ConformanceError

__all__ = [
    "ConformanceError",
    "Fingerprint",
    "check_fingerprint",
    "check_loss",
    "check_model",
    "fingerprint",
]
