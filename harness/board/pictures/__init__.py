"""Quality against cost, drawn."""
