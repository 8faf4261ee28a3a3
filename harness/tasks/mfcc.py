"""The no-training row of verification: statistics of mel-frequency cepstral coefficients."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from harness.adapter import Fbank

if TYPE_CHECKING:
    from torch import nn

COEFFICIENTS = 20
MEL_BINS = 40
FILTERBANK = Fbank(bins=MEL_BINS, subtract_mean=False)
"""The front end of the baseline rows; one frame is enough for them."""


def mfcc_statistics(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return mean and standard deviation over frames of 20 MFCCs.

    The coefficients are the orthonormal DCT-II of the 40-bin log-mel filterbank (Davis and
    Mermelstein, 1980), the first one kept.

    Args:
        samples: one utterance, `[samples]` at 16 kHz.

    Returns:
        `[40]`: means, then deviations.
    """
    import torch

    from harness.feeding.front_end import raw_tensor

    with torch.inference_mode():
        log_mel = _filterbank()(raw_tensor([samples]))[0].numpy()
    cepstra = dct(log_mel, norm="ortho", axis=-1)[:, :COEFFICIENTS]
    return np.concatenate([cepstra.mean(0), cepstra.std(0)]).astype(np.float32)


@cache
def _filterbank() -> nn.Module:
    from harness.feeding.front_end import front_end

    return front_end(FILTERBANK).eval()
