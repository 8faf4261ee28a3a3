"""Scores of embeddings, and their normalisation, calibration and fusion; no torch."""
