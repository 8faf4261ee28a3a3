"""Names of the files that an evaluation leaves; apart, so that reading them needs no torch."""

SCORES = "scores.npz"
