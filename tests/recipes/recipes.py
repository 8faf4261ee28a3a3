"""Recipes as the two projects write them, no longer than they must be."""

from __future__ import annotations

WESPEAKER = """
exp_dir: exp/any
gpus: "[0,1]"
num_avg: 3
enable_amp: False
seed: 1
num_epochs: 50
dataloader_args:
  batch_size: 96
  num_workers: 4
dataset_args:
  speed_perturb: True
  num_frms: 300
  aug_prob: 0.5
  fbank_args:
    num_mel_bins: 64
    frame_shift: 10
    frame_length: 25
    dither: 1.0
  spec_aug: False
  spec_aug_args:
    max_t: 10
model: CAMPPlus
model_init: null
model_args:
  feat_dim: 64
  embed_dim: 256
  pooling_func: "TSTP"
projection_args:
  project_type: "arc_margin"
  scale: 30.0
  easy_margin: False
margin_scheduler: MarginScheduler
margin_update:
  initial_margin: 0.05
  final_margin: 0.25
  increase_start_epoch: 11
  fix_start_epoch: 31
  update_margin: True
  increase_type: "exp"
loss: CrossEntropyLoss
loss_args: {}
optimizer: SGD
optimizer_args:
  momentum: 0.9
  nesterov: True
  weight_decay: 0.0002
scheduler: ExponentialDecrease
scheduler_args:
  initial_lr: 0.1
  final_lr: 0.0001
  warm_up_epoch: 5
  warm_from_zero: True
"""

THREED_SPEAKER = """
data:
noise:
num_epoch: 40
wav_len: 2.5
sample_rate: 16000
aug_prob: 0.8
speed_pertub: True
lr: 0.2
min_lr: 0.0002
batch_size: 128
fbank_dim: 80
embedding_size: 256
num_classes: 10
wav_reader:
  obj: speakerlab.process.processor.WavReader
  args:
    duration: <wav_len>
    sample_rate: <sample_rate>
    speed_pertub: <speed_pertub>
feature_extractor:
  obj: speakerlab.process.processor.FBank
  args:
    n_mels: <fbank_dim>
    sample_rate: <sample_rate>
    mean_nor: True
augmentations:
  obj: speakerlab.process.processor.SpkVeriAug
  args:
    aug_prob: <aug_prob>
    noise_file: <noise>
preprocessor:
  wav_reader: <wav_reader>
dataloader:
  obj: torch.utils.data.DataLoader
  args:
    batch_size: <batch_size>
    drop_last: True
embedding_model:
  obj: speakerlab.models.eres2net.ERes2NetV2.ERes2NetV2
  args:
    feat_dim: <fbank_dim>
    embedding_size: <embedding_size>
    m_channels: 32
classifier:
  obj: speakerlab.models.campplus.classifier.CosineClassifier
  args:
    input_dim: <embedding_size>
    out_neurons: <num_classes>
optimizer:
  obj: torch.optim.SGD
  args:
    params:
    lr: <lr>
    momentum: 0.9
    nesterov: True
    weight_decay: 0.0001
lr_scheduler:
  obj: speakerlab.process.scheduler.WarmupCosineScheduler
  args:
    optimizer: <optimizer>
    min_lr: <min_lr>
    max_lr: <lr>
    warmup_epoch: 4
    fix_epoch: <num_epoch>
    step_per_epoch:
loss:
  obj: speakerlab.loss.margin_loss.ArcMarginLoss
  args:
    scale: 32.0
    margin: 0.3
    easy_margin: False
margin_scheduler:
  obj: speakerlab.process.scheduler.MarginScheduler
  args:
    criterion: <loss>
    initial_margin: 0.0
    final_margin: 0.3
    increase_start_epoch: 10
    fix_epoch: 30
    step_per_epoch:
"""

LARGE_MARGIN = {
    "num_avg: 3": "num_avg: 1\ndo_lm: True",
    "num_epochs: 50": "num_epochs: 5",
    "batch_size: 96": "batch_size: 32",
    "num_frms: 300": "num_frms: 600",
    "initial_margin: 0.05": "initial_margin: 0.5",
    "final_margin: 0.25": "final_margin: 0.5",
    "initial_lr: 0.1": "initial_lr: 1.0e-4",
    "final_lr: 0.0001": "final_lr: 2.5e-5",
    "warm_up_epoch: 5": "warm_up_epoch: 1",
}
"""How WeSpeaker's fine-tuning differs from the recipe before it."""


def replaced(text: str, changes: dict[str, str]) -> str:
    """A recipe with some lines changed; each must be there."""
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"{old!r} is not in the recipe")
        text = text.replace(old, new)
    return text
