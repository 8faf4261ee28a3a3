"""The footnotes on what entries cost: what was counted, what was predicted, what is not shown."""

from __future__ import annotations

from collections.abc import Iterable

from harness.board.standing.budget import GIB, budgets, largest_training_batch, memory_to_predict
from harness.board.standing.environments import DISTURBED, disturbed, environments
from harness.board.standing.numbers import counted, significant
from harness.board.standing.table import Table
from harness.records.record import Memory


def cost_footnotes(table: Table) -> list[str]:
    """Every footnote on costs, in a fixed order."""
    notes = [_costs(table), _disturbed(table), _memory(table), _predicted(table), _largest(table)]
    return [note for note in [*notes, _macs(table)] if note]


def _costs(table: Table) -> str:
    where = environments(table.rows)
    if any(len(row.records) > 1 for row in table.rows) and where:
        over = "seeds and folds" if table.folds else "seeds"
        return f"Speeds and times are means over {over}; memory is the most of them."
    return ""


def _disturbed(table: Table) -> str:
    """How many times are not shown because something else ran beside."""
    done = [record.resources for row in table.rows if row.done for record in row.records]
    trained = sum(disturbed(each.cpu_wait) for each in done)
    measured = sum(disturbed(each.measuring_cpu_wait) for each in done)
    left = [
        text
        for text, count in (
            (f"the training times of {counted(trained, 'record')}", trained),
            (f"the speeds of {counted(measured, 'record')}", measured),
        )
        if count
    ]
    if not left:
        return ""
    return (
        f"Not shown: {' and '.join(left)}, because something else ran beside (threads waited for a "
        f"processor more than {100 * DISTURBED:g} % of their time)."
    )


def _memory(table: Table) -> str:
    """What the words beside a peak mean."""
    words = {
        "gpu": "gpu: what the allocator reserved on the card",
        "process": "process: main memory of the whole process, which tells nothing of a GPU",
        "predicted": "predicted: not measured",
    }
    used = {memory.counted for memory in _memories(table)}
    said = [text for word, text in words.items() if word in used]
    return f"Memory, {'; '.join(said)}." if said else ""


def _memories(table: Table) -> Iterable[Memory]:
    done = [record for row in table.rows if row.done for record in row.records]
    return (r.resources.training_memory for r in done if r.resources.training_memory)


def _predicted(table: Table) -> str:
    if not any(memory_to_predict(row) for row in table.rows):
        return ""
    return (
        "Predicted GPU memory: what a GPU's allocator would take for a training step, told before "
        "anything runs, the driver's context not in it; of entries that no GPU has measured."
    )


def _largest(table: Table) -> str:
    """What the largest batch was sought within."""
    if not any(largest_training_batch(row) for row in table.rows):
        return ""
    sizes = " or ".join(f"{significant(size / GIB)} GiB" for size in budgets(table.rows))
    return (
        f"Largest training batch: items of a training step that fit {sizes or 'the budget'} at "
        "once, predicted: the memory budget, without what of the card is not for tensors."
    )


def _macs(table: Table) -> str:
    inputs = sorted({record.resources.macs_input for record in table.records} - {""})
    return f"MACs: multiply-adds of one forward pass of {' or '.join(inputs)}." if inputs else ""
