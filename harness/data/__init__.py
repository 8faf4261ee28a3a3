"""Corpora, manifests, the lock, packing, features, augmentation and samplers."""
