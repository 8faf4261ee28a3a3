"""Unpacking archives of corpora, and nothing beside them."""
