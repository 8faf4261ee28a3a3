"""How many frames a sound has under a declared front end, and how many a network needs."""

from __future__ import annotations

from harness.adapter import Fbank, Input, Spectrogram
from harness.data.corpus import SAMPLE_RATE


def frame_count(declared: Input, samples: int) -> int:
    """Frames of a waveform: items with as many frames can share a batch without padding."""
    if not isinstance(declared, Fbank | Spectrogram):
        return samples
    length = int(SAMPLE_RATE * declared.frame_length_ms / 1000)
    shift = int(SAMPLE_RATE * declared.frame_shift_ms / 1000)
    return 1 + (samples - length) // shift if samples >= length else 0


def samples_for(declared: Input, frames: int) -> int:
    """Samples that give exactly so many frames."""
    if not isinstance(declared, Fbank | Spectrogram):
        return frames
    length = int(SAMPLE_RATE * declared.frame_length_ms / 1000)
    return length + (frames - 1) * int(SAMPLE_RATE * declared.frame_shift_ms / 1000)


def least_frames(declared: Input) -> int:
    """Fewest frames that the network can embed; 1 where it has none."""
    return declared.least_frames if isinstance(declared, Fbank | Spectrogram) else 1


def least_samples(declared: Input) -> int:
    """Samples of the shortest sound that the network can embed."""
    return samples_for(declared, least_frames(declared))
