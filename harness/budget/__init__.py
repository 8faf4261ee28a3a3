"""Memory predicted before anything is computed."""
