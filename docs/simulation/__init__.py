"""A simulation in which the truth is known: how often intervals hold it, and tests are wrong."""
