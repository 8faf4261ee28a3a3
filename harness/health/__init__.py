"""The health of a training: what its curves say, and how sure that is."""
