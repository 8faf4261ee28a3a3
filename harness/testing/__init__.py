"""The conformance suite: what every adapter promises, for this project's and third parties'."""

from harness.testing.conformance import ConformanceError, check_loss, check_model
from harness.testing.fingerprint import Fingerprint, check_fingerprint, fingerprint

__all__ = [
    "ConformanceError",
    "Fingerprint",
    "check_fingerprint",
    "check_loss",
    "check_model",
    "fingerprint",
]
