"""Speaker embedding networks written for this harness, in plain PyTorch."""
