"""Checks of what the harness takes for granted of a GPU, each by itself.

`python -m ci.gpu_probe [--device cpu] [CHECK ...]`, from the root of the repository. Each prints a
line or more: `ok`, `WRONG`, or `seen` for a figure that nothing is held to. A processor answers
those that make sense there, in small. Ends with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from ci.probe_systems import CLASSES, ProbeSystems
from harness.budget.fit_to_budget import checkpointing, fit_to_budget, without_workspaces
from harness.budget.prediction import Workload
from harness.config.recipes import Recipe
from harness.errors import HarnessError
from harness.feeding.front_end import raw_shape
from harness.measure.device import choose_device, energy_counter
from harness.measure.environment import environment
from harness.measure.memory_use import PeakMemory, is_out_of_memory
from harness.measure.rounding import arithmetic, flags
from harness.measure.timing import time_action

MIB, GIB = 2**20, 2**30

PUBLISHED = {
    "eres2net-3d-speaker": ("3dspeaker-cnceleb-lm", 0),
    "campplus-3d-speaker": ("3dspeaker-cnceleb", 0),
    "resnet34": ("wespeaker-v2-lm", 1),
}
"""Model -> its authors' recipe, and which of its trainings."""

NEAR = 1e-4
"""How far a cosine may be off a processor's where a GPU computes in float32."""

BESIDE = 256 * MIB
"""Bytes that new lengths may take beside torch's allocator: plans of transforms and kernels."""

Findings = Iterator[tuple[bool | None, str]]
"""Whether each is as it should be (None: nothing to be held to), and what was seen."""


def facts(here: ProbeSystems) -> Findings:
    """Say what is here, and hold the allocator to the budget."""
    where = environment(here.device, torch.get_num_threads())
    libraries = ", ".join(f"{name} {version}" for name, version in where.libraries.items())
    yield None, f"{where.device}: {libraries}"
    if here.on_gpu:
        free, card = torch.cuda.mem_get_info()
        yield None, f"{free / GIB:.2f} of {card / GIB:.2f} GiB free"
        torch.cuda.set_per_process_memory_fraction(min(1.0, here.cap / card))


def out_of_memory(here: ProbeSystems) -> Findings:
    """Ask for more than there is."""
    asked = here.cap + 4 * MIB if here.on_gpu else 2**60
    yield _tried(here, lambda: torch.empty(asked, dtype=torch.uint8, device=here.device), False)
    if here.on_gpu:
        torch.empty(here.cap - 8 * MIB, dtype=torch.uint8, device=here.device)
        yield True, f"{here.cap / GIB:.3g} GiB less 8 MiB are given"


def full_card(here: ProbeSystems) -> Findings:
    """Let a step run out of memory at many places: each refusal must be known for one."""
    for name in ("resnet34", "ecapa-512") if here.on_gpu else ():
        step = here.step(here.system(name), 32, 2.0)
        with PeakMemory(here.device) as peak:
            step()
            step()
        seen: Counter[tuple[bool | None, str]] = Counter()
        for short in range(24):
            here.clean()
            held = torch.cuda.memory_reserved()
            spare = int((peak.memory.bytes - held) * (1.04 - 0.04 * short))
            filled = max(2 * MIB, here.cap - held - spare)
            full = torch.empty(filled, dtype=torch.uint8, device=here.device)
            seen[_tried(here, step, True)] += 1
            del full
        for (right, what), times in seen.items():
            yield right, f"{name}: {times} x {what}"
        step()
        yield True, f"{name}: goes on after the refusals"


def _tried(
    here: ProbeSystems, action: Callable[[], object], may_fit: bool
) -> tuple[bool | None, str]:
    try:
        action()
        here.wait()
    except RuntimeError as error:
        known = is_out_of_memory(error)
        text = f"{type(error).__name__}: {str(error)[:50]!r}"
        return known, f"{text} is {'' if known else 'not '}known as out of memory"
    return (None if may_fit else False), "fits"


def float32(here: ProbeSystems) -> Findings:
    """Hold embeddings against the processor's, in float32 and in TF32."""
    for name in ("ecapa-512", "resnet34"):
        system = here.system(name, trained=False)
        raw = 0.1 * torch.randn(2, 32_000 if here.on_gpu else 8_000)
        found = {}
        for tf32 in (False, True):
            with flags(tf32=tf32, deterministic=True):
                found[tf32] = here.cosines(system, raw.to(here.device))
        own = here.cosines(system.cpu(), raw)
        off, rounded = (float((found[tf32] - own).abs().max()) for tf32 in (False, True))
        yield off <= NEAR, f"{name}: cosines off the processor's by {off:.1e}; TF32: {rounded:.1e}"


def same_bits(here: ProbeSystems) -> Findings:
    """Train twice from one seed, with kernels that repeat and with any; tell what they cost."""
    for name in ("ecapa-512", "campplus", "eres2net") if here.on_gpu else ("ecapa-512",):
        same, seconds = {}, {}
        for repeats in (True, False):
            recipe = here.recipe.model_copy(update={"deterministic": repeats})
            same[repeats] = torch.equal(_weights(here, name, recipe), _weights(here, name, recipe))
            if here.on_gpu:
                step = here.step(here.system(name), 32, 2.0, recipe)
                seconds[repeats] = time_action(step, device=here.device).median
        for repeats, are in same.items():
            kernels = "kernels that repeat" if repeats else "any kernels"
            yield (are if repeats else None), f"{name}, {kernels}: the same bits twice: {are}"
        if seconds:
            cost = seconds[True] / seconds[False] - 1
            yield None, f"{name}: kernels that repeat make a step longer by {cost:.1%}"


def _weights(here: ProbeSystems, name: str, recipe: Recipe) -> Tensor:
    """Return the weights after a few steps from one seed."""
    system = here.system(name)
    batch, seconds = (32, 2.0) if here.on_gpu else (2, 0.5)
    step = here.step(system, batch, seconds, recipe)
    for _ in range(8 if here.on_gpu else 2):
        step()
    return torch.cat([each.detach().flatten() for each in system.parameters()])


def published_batches(here: ProbeSystems) -> Findings:
    """Train at the batches of published recipes within the budget, in the parts told for it."""
    for name, (recipe, phase) in PUBLISHED.items() if here.on_gpu else ():
        here.clean()
        plan, model = here.benchmark.recipes[recipe].phases[phase], here.adapter(name)
        seconds = plan.crop_seconds or 2.0
        item = raw_shape(model.inputs(), seconds)
        work = Workload(model, here.adapter("aam", "losses"), CLASSES, item, plan)
        fit = fit_to_budget(work, without_workspaces(here.cap))
        system = here.system(checkpointing(model) if fit.checkpointing else model)
        plan = plan.model_copy(update={"micro_batch": fit.part})
        step = here.step(system, plan.batch, seconds, plan)
        again = torch.cuda.memory_stats()["num_alloc_retries"]
        with PeakMemory(here.device) as peak:
            step()
            step()
        again = torch.cuda.memory_stats()["num_alloc_retries"] - again
        told, took = fit.step.reserved(here.cap) or here.cap, peak.memory.bytes
        memory = f"told {told / GIB:.2f} GiB, took {took / GIB:.2f} ({took / told - 1:+.1%})"
        batch = f"{plan.batch} x {seconds:g} s, at most {fit.part or plan.batch} at once"
        text = f"{name}: {batch}: {memory}; the allocator began anew {again} times"
        yield took <= here.cap, text
        del step, system


def lengths(here: ProbeSystems) -> Findings:
    """Embed utterances of many lengths, one after the other, twice."""
    system = here.system("ecapa-512", trained=False)
    count, shortest = (400, 32_000) if here.on_gpu else (4, 4_000)
    sounds = [0.1 * torch.randn(1, shortest + 160 * each) for each in range(count)]
    with arithmetic(here.device), torch.inference_mode():
        system.output(sounds[0].to(here.device), "embedding")
        before, spent = here.beside(), []
        for _ in range(2):
            began = time.perf_counter()
            for sound in sounds:
                system.output(sound.to(here.device), "embedding")
            here.wait()
            spent.append(1e3 * (time.perf_counter() - began) / count)
    grown = here.beside() - before
    yield grown <= BESIDE, f"{count} of them take {grown / MIB:.0f} MiB beside the allocator"
    yield None, f"{spent[0]:.1f} ms each at first, {spent[1]:.1f} ms again"


def joules(here: ProbeSystems) -> Findings:
    """Count the energy of a step twice."""
    counter = energy_counter(here.device)
    if counter is None:
        yield None, "no counter that may be read here"
        return
    step, each = here.step(here.system("ecapa-512"), 32, 2.0), []
    for _ in range(2):
        taken = time_action(step, device=here.device, joules=counter)
        each.append((taken.joules or 0.0) / len(taken.seconds))
    alike = 0 < max(each) < 1.2 * min(each)
    yield alike, f"{each[0]:.2f} and {each[1]:.2f} J a step, each over two seconds"


CHECKS: tuple[Callable[[ProbeSystems], Findings], ...] = (
    facts, out_of_memory, full_card, float32, same_bits, published_batches, lengths, joules,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks that are asked for, or all; the first of them always."""
    names = [check.__name__ for check in CHECKS]
    parser = argparse.ArgumentParser(prog="python -m ci.gpu_probe", description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(names))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.checks) - set(names):
        parser.error(f"no such check: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    # cuBLAS reads it when CUDA begins; without it, products of matrices do not repeat.
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    try:
        here = ProbeSystems(torch.device(choose_device(asked.device)))
    except HarnessError as error:
        parser.error(str(error))
    wrong = 0
    for check in CHECKS:
        if check is facts or check.__name__ in (asked.checks or names):
            for right, text in _found(check, here):
                wrong += right is False
                verdict = "seen" if right is None else "ok" if right else "WRONG"
                sys.stdout.write(f"{verdict:5} {check.__name__}: {text}\n")
                sys.stdout.flush()
    return 1 if wrong else 0


def _found(check: Callable[[ProbeSystems], Findings], here: ProbeSystems) -> Findings:
    """Return what a check finds; one that breaks costs the others nothing."""
    try:
        yield from check(here)
    except Exception as error:  # noqa: BLE001 - whatever it is, the line says it
        yield False, f"broke with {type(error).__name__}: {str(error)[:200]}"


if __name__ == "__main__":
    raise SystemExit(main())
