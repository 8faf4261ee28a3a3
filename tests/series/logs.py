"""Logs as other programs write them, small."""

from __future__ import annotations

from pathlib import Path

WESPEAKER = """\
[ INFO : 2024-03-01 10:00:00,000 ] - <========== Training process ==========>
[ INFO : 2024-03-01 10:00:00,000 ] - ╭──────────┬──────────┬──────────┬──────────┬──────────╮
[ INFO : 2024-03-01 10:00:00,001 ] - │   Epoch  │   Batch  │    Lr    │  Margin  │   Loss   │   Acc    │
[ INFO : 2024-03-01 10:00:10,500 ] - │        1 │      100 │ 0.001000 │        0 │    10.50 │     1.25 │
[ INFO : 2024-03-01 10:00:20,500 ] - │        1 │      150 │ 0.001500 │        0 │    10.00 │     2.50 │
[ INFO : 2024-03-01 10:00:30,500 ] - │        2 │      100 │  2.5e-05 │      0.1 │     8.25 │    12.50 │
"""  # noqa: E501

THREED = """\
2024-03-01 10:00:00,000 - INFO: Use GPU: 0 for training.
2024-03-01 10:00:01,000 - INFO: Epoch: [1][  0/200]\tTime  1.000 ( 1.000)\tData  0.500 ( 0.500)\tLoss 9.0e+00 (9.0e+00)\tAcc@1   0.00 (  0.00)\tLr 0.000e+00 (0.000e+00)\tMargin 0.000 (0.000)
2024-03-01 10:00:41,000 - INFO: Epoch: [1][100/200]\tTime  0.400 ( 0.410)\tData  0.001 ( 0.010)\tLoss 7.0e+00 (8.0e+00)\tAcc@1   6.25 (  3.10)\tLr 2.000e-02 (1.000e-02)\tMargin 0.000 (0.000)
2024-03-01 10:01:41,000 - INFO: Epoch: [2][  0/200]\tTime  0.400 ( 0.400)\tData  0.001 ( 0.001)\tLoss 5.0e+00 (5.0e+00)\tAcc@1  25.00 ( 25.00)\tLr 4.000e-02 (4.000e-02)\tMargin 0.100 (0.100)
"""  # noqa: E501

THREED_EPOCHS = """\
epoch: 1 - train Avg_loss: 7.50, train Avg_acc: 3.20, train Lr_value: 4.00e-02
epoch: 2 - train Avg_loss: 2.00, train Avg_acc: 50.00, train Lr_value: 8.00e-02
"""

CSV = "epoch,step,Train/Loss,Test/eer,remark\n0.5,10,4.5,,warm\n1.0,20,2.5,0.25,\n"

JSONL = '{"step": 1, "train": {"loss": 4.0}}\n{"step": 2, "train": {"loss": 3.0}, "eer": 0.5}\n'


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
