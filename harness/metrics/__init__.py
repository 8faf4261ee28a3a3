"""Metrics, their uncertainty and their significance: pure functions over NumPy arrays, no torch."""
