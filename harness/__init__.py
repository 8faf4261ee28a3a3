"""A benchmark and leaderboard harness for speaker verification and its neighbours."""

__version__ = "0.1.0"
