"""Cutting a fixed subset from a corpus."""
