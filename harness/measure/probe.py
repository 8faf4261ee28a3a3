"""How fast a processor or a GPU multiplies, by a moment's trial."""

from __future__ import annotations

from harness.measure.speed import timed

CHANNELS, FRAMES, ITEMS = 256, 200, 16
SECONDS = 0.2


def multiply_adds_per_second(device: str, threads: int) -> float:
    """Multiply-adds a second of a convolution such as speech networks are made of."""
    import torch

    before = torch.get_num_threads()
    layer = torch.nn.Conv1d(CHANNELS, CHANNELS, 3, padding=1).to(device)
    inputs = torch.randn(ITEMS, CHANNELS, FRAMES, device=device)
    try:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            times = timed(lambda: layer(inputs), 20, 2, device=device, at_most=SECONDS)
    finally:
        torch.set_num_threads(before)
    return ITEMS * FRAMES * CHANNELS * CHANNELS * 3 / times.median
