"""From a suite to its records: what a call plans, runs and keeps."""
