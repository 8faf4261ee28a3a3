"""The conformance suite: what every adapter promises, for this project's and third parties'."""

from harness.testing.conformance import ConformanceError, check_loss, check_model

__all__ = ["ConformanceError", "check_loss", "check_model"]
