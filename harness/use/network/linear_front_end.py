"""Front ends in operations that every runtime has: convolutions and products of matrices.

Each computes what the module of `harness.feeding.front_end` does, but for rounding. All that Kaldi
does to a frame before its spectrum is linear, and so is the spectrum: one convolution does it all.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from harness.errors import RequestError
from harness.feeding.front_end import (
    AsItIs,
    PictureFrontEnd,
    SpectrogramImage,
    channel_planes,
    normalised,
    resized_sides,
)
from harness.feeding.log_mel import PRE_EMPHASIS, LogMel
from harness.feeding.tf_mel import TfLogMel


class LinearLogMel(nn.Module):
    """Log-mel filterbank: waveform `[batch, samples]` -> `[batch, frames, bins]`.

    Args:
        made: the filterbank as it is trained with; nothing is dithered.
    """

    kernel: Tensor

    def __init__(self, made: LogMel) -> None:
        super().__init__()
        self.made = made
        window = made.window.double().diag()
        frame = window if isinstance(made, TfLogMel) else window @ emphasised_frame(made.length)
        self.register_buffer("kernel", spectrum_kernel(frame, made.points), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Compute the features of a waveform in -1..1."""
        scaled = (self.made.prepare(waveform) * self.made.declared.scale).unsqueeze(1)
        spectra = nn.functional.conv1d(scaled, self.kernel, stride=self.made.shift).square()
        half = self.kernel.shape[0] // 2
        power = (spectra[:, :half] + spectra[:, half:]).transpose(1, 2)
        return self.made.centre(self.made.compress(power))


class LinearSpectrogram(nn.Module):
    """Normalised log-mel image: waveform `[batch, samples]` -> `[batch, 1, bins, frames]`."""

    def __init__(self, made: SpectrogramImage) -> None:
        super().__init__()
        self.log_mel = LinearLogMel(made.log_mel)

    def forward(self, waveform: Tensor) -> Tensor:
        """Compute the image."""
        features: Tensor = self.log_mel(waveform)
        apart = features - features.mean((1, 2), keepdim=True)
        cells = features.shape[1] * features.shape[2]
        deviation = (apart.square().sum((1, 2), keepdim=True) / (cells - 1)).sqrt()
        return (apart / (deviation + 1e-5)).transpose(1, 2).unsqueeze(1)


class LinearPicture(nn.Module):
    """Pictures of levels 0..1 and of one size -> `[batch, channels, size, size]`.

    They are grey, `[batch, height, width]`, or in colour, `[batch, height, width, 3]`.

    Args:
        made: the front end that is trained with.
        shape: height and width of every picture.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, made: PictureFrontEnd, shape: tuple[int, int]) -> None:
        super().__init__()
        self.declared = made.declared
        sides = resized_sides(made.declared, *shape)
        for name, side, resized_side in zip(("rows", "columns"), shape, sides, strict=True):
            # Resizing is linear along each side: that of the identity is its matrix.
            resized = nn.functional.interpolate(
                torch.eye(side)[None, None],
                (resized_side, side),
                mode=made.declared.interpolation,
                align_corners=False,
                antialias=True,
            )[0, 0]
            first = (resized_side - made.declared.size + 1) // 2
            kept = resized[first : first + made.declared.size]
            self.register_buffer(name, kept, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Resize and normalise."""
        planes = channel_planes(pixels, self.declared.channels)
        return normalised(self.declared, self.rows @ planes @ self.columns.T)


def emphasised_frame(length: int) -> Tensor:
    """Return what removes a frame's mean and pre-emphasises it, `[length, length]`.

    The sample before its first is taken to be the first itself.
    """
    frame = torch.eye(length, dtype=torch.float64) - 1 / length
    return frame - PRE_EMPHASIS * torch.cat([frame[:1], frame[:-1]])


def spectrum_kernel(frame: Tensor, points: int) -> Tensor:
    """Return what maps a frame to its spectrum, `[2 * (points / 2 + 1), 1, length]`.

    The real parts come first.

    Args:
        frame: what is done to a frame before it is padded with zeros, `[length, length]`.
        points: of the transform.
    """
    phase = torch.outer(torch.arange(points // 2 + 1), torch.arange(len(frame))) % points
    angle = phase.double() * (2 * math.pi / points)
    return torch.cat([angle.cos() @ frame, -angle.sin() @ frame]).float().unsqueeze(1)


def linear_front_end(made: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """Return a front end that can be exported.

    Args:
        made: the one that `harness.feeding.front_end.front_end` gives.
        shape: of one raw item.

    Raises:
        RequestError: it is of another kind.
    """
    if isinstance(made, LogMel):
        return LinearLogMel(made)
    if isinstance(made, SpectrogramImage):
        return LinearSpectrogram(made)
    if isinstance(made, PictureFrontEnd):
        height, width = shape[:2]
        return LinearPicture(made, (height, width))
    if isinstance(made, AsItIs):
        return nn.Identity()
    raise RequestError(
        f"{type(made).__name__}: this front end cannot be exported; give --features outside"
    )
