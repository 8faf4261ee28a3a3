"""From a suite to its jobs: which there are, and what of each is missing."""
