"""From a suite to its jobs, and how much of each is done."""
