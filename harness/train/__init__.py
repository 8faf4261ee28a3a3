"""The training loop, its schedules and its checkpoints; it knows no task."""
