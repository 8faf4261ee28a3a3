"""Simulations of docs/health.md: `python -m docs.simulation.health`."""
