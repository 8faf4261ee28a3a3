"""Figures night by night: an append-only history, verdicts on it, and its page."""
