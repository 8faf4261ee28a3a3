"""What differs between tasks, one file a task; nothing else in the harness knows tasks."""
