"""Sentences that records and errors hold in English, found again and said in a report's language.

A record is made for all time, and in English; a page has a language. What no pattern knows stays as
it stands in the record.
"""

from __future__ import annotations

import re
from functools import cache

from harness.records.recipe_name import read_recipe_name
from harness.report.text import Words

PATTERNS = {
    "fine_tuned": "{chosen}; fine-tuned from step {first} on",
    "chosen": "validation, step {step} of {steps}",
    "chosen_without_labels": "validation by {by}, without labels, step {step} of {steps}",
    "silhouette": "silhouette",
    "last": "last weights",
    "average": "average weights",
    "speakers": "95 %, speakers resampled {draws} times, logit-t",
    "units": "95 %, units resampled {draws} times, logit-t",
    "of_training": "of training",
    "one_value": "all test scores are one value: nobody is told apart, and the EER is 50 %",
    "not_fitted": "all validation scores are one value: no calibration can be fitted to them, and "
    "what it would decide is not judged",
    "redrawn": "{count} draws of the test speakers held no target or no nontarget trial and were "
    "drawn again (of {draws} that count)",
    "parts": "batch {parts} to fit the memory budget: the loss is that of {batch} items, batch "
    "normalisation saw at most {part} at a time",
    "parts_full": "batch {parts} to fit the memory budget: the loss is that of {batch} items, "
    "batch normalisation too; {host} wait in main memory",
    "checkpointing": "activations were computed again in the backward pass to fit the memory "
    "budget",
    "not_fitting": "predicted not to fit the memory budget, whatever is done",
    "crops": "items longer than {seconds} s were judged by {crops} of {length} s, their outputs "
    "averaged, not as a whole",
    "cosine": "cosine",
    "one_crop": "one crop",
    "crops_apart": "{count} evenly spaced crops",
    "sampled_accuracy": "its training accuracy is of a sample of training items as they are, since "
    "it learnt from mixed ones",
    "curves_end": "its curves end early: {why}",
    "mean_of": "the mean of {count} networks: {names}",
    "unchanged_steps": "{count} of its {steps} steps changed no weight: in half precision their "
    "gradients were not finite",
    "in_no_order": "not repeatable to the bit on a GPU: {names}",
    "not_measured": "not all of its costs were measured: {reason}",
    "gpu_room": "when the job began, {free} of the GPU were free, of the {limit} that the budget "
    "gives",
    "elsewhere": "its weights were made elsewhere; whether they had seen the test items was not "
    "checked",
    "not_done": "it is {state} and holds no numbers",
    "absent": "{name} is not on this machine: {details}",
    "no_scores": "its scores are not beside it ({file})",
    "no_dataset": "{file} has no dataset {name}",
    "no_suite": "{file} has no suite {name}",
    "other_lock": "it was made with lock {lock} of {data}, which is not this benchmark's; check "
    "out {code}",
    "other_rules": "it was judged by version {version} of the protocol of {suite}, this benchmark "
    "has {own}; check out {code}",
    "not_finite": "loss became {loss}",
    "not_predicted": "the memory of a training step is not predicted: {why}",
    "clusters_noise": "found {found} clusters (one of them is noise), {asked} were asked for",
    "clusters_found": "found {found} clusters, {asked} were asked for",
    "cluster_noise": "found 1 cluster (it is noise), {asked} were asked for",
    "cluster_found": "found 1 cluster, {asked} were asked for",
    "clusters_given": "k-means++ of the split that is judged, {restarts} restarts; one for each "
    "label",
    "clusters_estimated": "k-means++ of the split that is judged, {restarts} restarts; by "
    "silhouette of validation",
}
"""Id below `recorded` -> what a record or an error says, with the values in braces."""

LEAST_OF_A_HASH = 12
"""Letters that a hash is shown by: all of them may be digits."""


def say_again(text: str, words: Words) -> str:
    """Return what a record says in the language of a page; unchanged if no pattern knows it."""
    for name, pattern in PATTERNS.items():
        if found := _compiled(pattern).fullmatch(text):
            values = {key: _said(value, words) for key, value in found.groupdict().items()}
            return words(f"recorded.{name}", **values)
    return text


def recorded_values(name: str, text: str) -> dict[str, str] | None:
    """Return the values in a sentence of a record; None if it is not the one of that id."""
    found = _compiled(PATTERNS[name]).fullmatch(text)
    return found.groupdict() if found else None


def _said(value: str, words: Words) -> str:
    """Return a value in the language: a count with its thousands apart, a sentence said again."""
    is_count = value.isdecimal() and len(value) < LEAST_OF_A_HASH
    return f"{int(value):,}" if is_count else say_again(value, words)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern as a regular expression with a named group for each of its values."""
    parts = re.split(r"\{(\w+)\}", pattern)
    texts = [f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)]
    return re.compile("".join(texts), re.DOTALL)


def say_recipe(recorded: str | None, words: Words) -> str:
    """Return the name of a recipe; what a call changed of it is said in the language."""
    name = read_recipe_name(recorded)
    if not name.changes or name.extended or name.export:
        return recorded or ""
    return words("head.changed_recipe", name=name.base, changes=name.changes)
