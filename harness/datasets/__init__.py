"""Datasets found, listed, split, locked, packed and frozen."""
