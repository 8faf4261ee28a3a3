"""Pages of a run, or of several side by side: what was run, how it learnt, what it got wrong."""
