"""The record of a job: its schema, its canonical JSON, its hashes, its files."""
