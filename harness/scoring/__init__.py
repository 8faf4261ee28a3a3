"""How embeddings become scores, and how scores are normalised, calibrated and fused; no torch."""
