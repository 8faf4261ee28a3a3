"""The schema of `benchmark.toml` as typed, frozen objects, and the loader that reads it."""
