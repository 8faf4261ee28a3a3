"""The no-training row's features by their definition."""

from __future__ import annotations

import numpy as np
import torch
import torchaudio

from harness.tasks.mfcc import COEFFICIENTS, MEL_BINS, mfcc_statistics


def test_statistics_of_kaldis_filterbank() -> None:
    generator = np.random.Generator(np.random.PCG64(0))
    samples = generator.normal(0, 3000, 12_345).astype(np.int16)
    bank = torchaudio.compliance.kaldi.fbank(
        torch.from_numpy(samples.astype(np.float32))[None], num_mel_bins=MEL_BINS,
        window_type="hamming", dither=0.0, sample_frequency=16_000,
    ).numpy()  # fmt: skip
    order = np.arange(COEFFICIENTS)[:, None]
    place = (np.arange(MEL_BINS) + 0.5)[None]
    cosines = np.sqrt(2 / MEL_BINS) * np.cos(np.pi * order * place / MEL_BINS)
    cosines[0] /= np.sqrt(2)
    cepstra = bank @ cosines.T
    wanted = np.concatenate([cepstra.mean(0), cepstra.std(0)])
    np.testing.assert_allclose(mfcc_statistics(samples), wanted, rtol=1e-3, atol=2e-3)
