"""Training of a system: loop, schedules, gradient accumulation, checkpoints; no task is known."""
