"""Memory of steps, predicted before anything is computed, and fitted to a budget."""
