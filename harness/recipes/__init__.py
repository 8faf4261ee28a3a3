"""Recipes of other projects, read into this one's own tables."""
