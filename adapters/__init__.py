"""The adapters that ship with the harness: models and losses named in `benchmark.toml`."""
