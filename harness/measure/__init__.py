"""What an entry costs: memory, time and multiply-adds, and on which machine."""
