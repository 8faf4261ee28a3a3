"""Features are Kaldi's, and each declared input gets its own."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torchaudio

from harness.adapter import Fbank, Image, Spectrogram, Vector
from harness.datasets.lengths import frame_count, samples_for
from harness.errors import ConfigError
from harness.feeding.front_end import front_end, raw_tensor

PLAIN = Fbank(subtract_mean=False)
DECLARATIONS = [
    *(replace(PLAIN, window=window) for window in ("hamming", "povey", "hanning", "rectangular")),
    replace(PLAIN, scale=1.0, window="povey"),
    replace(PLAIN, bins=23),
    replace(PLAIN, bins=40, low_hz=80.0),
    replace(PLAIN, bins=64, high_hz=7600.0),
    replace(PLAIN, low_hz=40.0, high_hz=-200.0),
    replace(PLAIN, frame_length_ms=32.0, frame_shift_ms=8.0),
]


@pytest.fixture(scope="module")
def wave():
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(16_000) / 16_000
    tone = torch.sin(2 * torch.pi * (200 * time + 1500 * time**2))
    return 0.3 * tone + 0.05 * torch.randn(16_000, generator=generator)


def kaldi(wave, declared):
    return torchaudio.compliance.kaldi.fbank(
        wave[None] * declared.scale,
        window_type=declared.window,
        num_mel_bins=declared.bins,
        low_freq=declared.low_hz,
        high_freq=declared.high_hz,
        frame_length=declared.frame_length_ms,
        frame_shift=declared.frame_shift_ms,
        sample_frequency=16_000.0,
        dither=0.0,
    )


@pytest.mark.parametrize("declared", DECLARATIONS, ids=lambda declared: str(declared)[6:60])
def test_the_filterbank_is_kaldis(wave, declared):
    ours, theirs = front_end(declared).eval()(wave[None])[0], kaldi(wave, declared)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 2e-3


@pytest.mark.parametrize("declared", [PLAIN, replace(PLAIN, frame_length_ms=32.0)])
@pytest.mark.parametrize("samples", [512, 1000, 15_999])
def test_frames_are_counted_as_they_come(wave, declared, samples):
    features = front_end(declared).eval()(wave[None, :samples])
    frames = frame_count(declared, samples)
    assert features.shape[1] == frames
    assert frame_count(declared, samples_for(declared, frames)) == frames
    assert frame_count(declared, samples_for(declared, frames) - 1) == frames - 1


@pytest.mark.parametrize("declared", [PLAIN, Fbank(), replace(PLAIN, frame_length_ms=32.0)])
def test_a_gpu_transforms_as_many_frames_whatever_the_length(monkeypatch, wave, declared):
    monkeypatch.setattr("harness.feeding.log_mel.BLOCK", 150)
    transformed, rfft = [], torch.fft.rfft
    monkeypatch.setattr(torch.fft, "rfft", lambda x: (transformed.append(x.shape), rfft(x))[1])
    module = front_end(declared).eval()
    for rows, samples in ((1, 512), (2, 8000), (4, 4000), (1, 16_000), (3, 5311)):
        sound = wave[: rows * samples].reshape(rows, samples)
        wanted = module(sound)
        transformed.clear()
        found = module.in_blocks(sound * declared.scale)
        assert set(transformed) == {(150, module.points)}
        torch.testing.assert_close(found, wanted, rtol=0, atol=2e-4)


def test_no_device_but_the_processor_transforms_by_length(monkeypatch):
    transformed, rfft = set(), torch.fft.rfft
    monkeypatch.setattr(torch.fft, "rfft", lambda x: (transformed.add(x.shape[0]), rfft(x))[1])
    module = front_end(PLAIN).eval().to("meta")
    shapes = [module(torch.empty(rows, 16_000, device="meta")).shape for rows in (1, 3, 70)]
    assert shapes == [(1, 98, 80), (3, 98, 80), (70, 98, 80)]
    assert transformed == {4096}


def test_too_short_for_a_frame():
    assert frame_count(PLAIN, 399) == 0
    assert frame_count(PLAIN, 400) == 1


def test_the_mean_of_each_utterance_is_taken_off(wave):
    plain = front_end(PLAIN).eval()(wave.reshape(2, 8000))
    centred = front_end(Fbank()).eval()(wave.reshape(2, 8000))
    torch.testing.assert_close(centred, plain - plain.mean(1, keepdim=True))
    assert centred.mean(1).abs().max() < 1e-4


def test_dither_is_for_training_alone(wave):
    torch.manual_seed(0)
    dithered, plain = front_end(replace(PLAIN, dither=1.0)), front_end(PLAIN).eval()
    assert torch.equal(dithered.eval()(wave[None]), plain(wave[None]))
    dithered.train()
    first, second = dithered(wave[None]), dithered(wave[None])
    assert not torch.equal(first, second)
    assert not torch.equal(first, plain(wave[None]))
    assert (first - plain(wave[None])).abs().mean() < 0.5


def test_without_dither_training_changes_nothing(wave):
    bank = front_end(PLAIN)
    assert torch.equal(bank.train()(wave[None]), bank.eval()(wave[None]))


def test_silence_has_finite_features():
    assert torch.isfinite(front_end(Fbank())(torch.zeros(1, 16_000))).all()
    assert torch.isfinite(front_end(Spectrogram())(torch.zeros(1, 16_000))).all()


def test_a_filterbank_has_nothing_to_store():
    assert front_end(Fbank()).state_dict() == {}


def test_a_spectrogram_is_a_normalised_image(wave):
    image = front_end(Spectrogram(bins=40))(wave.reshape(2, 8000))
    assert image.shape == (2, 1, 40, frame_count(Spectrogram(), 8000))
    torch.testing.assert_close(image.mean((1, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(image.std((1, 2, 3)), torch.ones(2), atol=1e-3, rtol=0)
    features = front_end(replace(PLAIN, bins=40))(wave[None, :8000])[0].T
    correlation = torch.corrcoef(torch.stack([image[0, 0].flatten(), features.flatten()]))
    assert correlation[0, 1] > 0.9999


def test_the_loudness_of_a_spectrogram_does_not_matter(wave):
    image = front_end(Spectrogram())
    torch.testing.assert_close(image(wave[None]), image(0.5 * wave[None]), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (8, 3), (4, 3)])
def test_a_picture_is_resized_centred_and_repeated(size, channels):
    pixels = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))
    made = front_end(Image(size=size, channels=channels))(pixels)
    assert made.shape == (2, channels, size, size)
    assert made.min() >= -1
    assert made.max() <= 1
    assert torch.equal(made[:, 0], made[:, -1])
    torch.testing.assert_close(made.mean(), 2 * pixels.mean() - 1, atol=0.02, rtol=0)


def test_a_picture_of_the_right_size_keeps_its_pixels():
    pixels = torch.rand(1, 8, 8)
    torch.testing.assert_close(front_end(Image(size=8, channels=1))(pixels)[:, 0], 2 * pixels - 1)


def test_a_vector_stays_as_it_is():
    vectors = torch.rand(2, 5)
    assert front_end(Vector(size=5))(vectors) is vectors
    assert frame_count(Vector(size=5), 5) == samples_for(Vector(size=5), 5) == 5


def test_an_unknown_declaration():
    with pytest.raises(ConfigError, match="unknown input declaration 'waveform'"):
        front_end("waveform")


def test_raw_numbers_keep_their_meaning():
    sound = raw_tensor([np.array([-32768, 0, 16384], np.int16)])
    assert sound.tolist() == [[-1.0, 0.0, 0.5]]
    assert raw_tensor([np.array([[0, 255]], np.uint8)] * 2).tolist() == [[[0.0, 1.0]]] * 2
    assert raw_tensor([np.array([1.5])]).dtype == torch.float32


def test_items_of_different_lengths_are_refused_with_the_mend():
    with pytest.raises(ConfigError, match=r"shapes \(3,\) and \(4,\) .*`crop_seconds`"):
        raw_tensor([np.zeros(4, np.int16), np.zeros(3, np.int16)])


COLOURS = torch.rand(2, 30, 40, 3, generator=torch.Generator().manual_seed(0))
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_a_picture_in_colour_keeps_its_channels_and_one_channel_sees_its_grey():
    square = COLOURS[:, :, :30]
    made = front_end(Image(size=30))(square)
    torch.testing.assert_close(made, 2 * square.movedim(-1, 1) - 1)
    grey = front_end(Image(size=30, channels=1))(square)
    weights = torch.tensor([0.299, 0.587, 0.114])
    torch.testing.assert_close(grey[:, 0], 2 * (square @ weights) - 1)
    same = square[..., :1].expand(-1, -1, -1, 3)
    torch.testing.assert_close(
        front_end(Image(size=12))(same), front_end(Image(size=12))(same[..., 0])
    )


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_declared_crop_is_that_of_torchvision(interpolation):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    declared = Image(size=16, mean=MEAN, deviation=DEVIATION, interpolation=interpolation, crop=0.8)
    planes = COLOURS.movedim(-1, 1)
    mode = getattr(functional.InterpolationMode, interpolation.upper())
    resized = functional.resize(planes, [20], interpolation=mode, antialias=True)
    wanted = functional.normalize(functional.center_crop(resized, [16, 16]), MEAN, DEVIATION)
    found = front_end(declared)(COLOURS)
    assert found.shape == (2, 3, 16, 16)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_a_grey_picture_is_normalised_by_channel():
    declared = Image(size=8, mean=MEAN, deviation=DEVIATION)
    pixels = torch.rand(1, 8, 8)
    found = front_end(declared)(pixels)
    for channel in range(3):
        wanted = (pixels - MEAN[channel]) / DEVIATION[channel]
        torch.testing.assert_close(found[:, channel], wanted)
