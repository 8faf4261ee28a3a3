"""`harness compare`: are two sounds of one speaker?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.output import give, give_json
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.use.sound_pair import Comparison


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A sound of any rate.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    *,
    run: options.NetworkRun = None,
    model_dir: options.ModelDir = None,
    checkpoint: options.RunCheckpoint = None,
    prior: Annotated[
        float, typer.Option("--prior", help="Of one speaker, before anything is heard.")
    ] = 0.5,
    device: options.DeviceOption = options.Device.cpu,
    runs: options.Runs = options.DEFAULT_RUNS,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Compare two sounds: score, probability, decision, and what makes it less sure."""
    from harness.config.loader import load
    from harness.use.opening import open_network
    from harness.use.sound_pair import compare as compare_sounds

    if not 0 < prior < 1:
        raise RequestError(f"--prior {prior:g}: give a number between 0 and 1")
    asked = options.asked_network(run, model_dir, checkpoint, runs, device)
    network = open_network(load(config), asked, "embedding")
    found = compare_sounds(network, (first, second), prior)
    if json:
        give_json({"schema": 1, **found.model_dump(mode="json")})
    else:
        give("\n".join(_lines(found)))


def _lines(found: Comparison) -> list[str]:
    decision = found.decision
    verdict = "one speaker" if found.same else "two speakers"
    if any(sound.warnings for sound in found.sounds):
        verdict += ", less sure than its score by the warnings below"
    chance = "no calibration is here"
    if found.probability is not None and found.llr is not None:
        chance = (
            f"{100 * found.probability:.2f} % one speaker at a prior of {100 * found.prior:g} % "
            f"(log-likelihood ratio {found.llr:.2f})"
        )
    lines = [
        f"{verdict}: score {found.score:.4f}, threshold {decision.threshold:.4f} (of validation)",
        f"probability: {chance}",
        f"on test that threshold missed {100 * decision.miss.value:.2f} % of "
        f"{decision.targets:,} target trials and accepted "
        f"{100 * decision.false_alarm.value:.2f} % of {decision.nontargets:,} others",
    ]
    for sound in found.sounds:
        lines += [f"warning: {sound.file}: {each.rule}: {each.text}" for each in sound.warnings]
    return lines
