"""Corpora as they are read: layouts, lists, sound files, pictures, splits and names."""
