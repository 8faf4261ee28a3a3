"""The three stages of one job (train, evaluate, measure), each with its own key."""
