"""The tasks, one file each: nothing else in the harness knows how they differ."""
