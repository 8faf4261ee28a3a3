"""Packs: a corpus decoded once into one flat file, kept up to date with its files."""
