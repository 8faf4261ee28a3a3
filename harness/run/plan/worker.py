"""The process that adapters' code runs in while a call is planned.

`python -m harness.run.plan.worker REQUESTS MESSAGES` answers one question after the other (see
`harness.run.plan.adapter_workers`). An error of an adapter ends it: its caller starts another one.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter

from harness.errors import HarnessError, printable, raised
from harness.run.execute.messages import WorkerChannel, open_channel
from harness.run.plan.questions import Question


def main() -> None:
    """Answer until there is nobody to ask."""
    channel = open_channel()
    while True:
        try:
            channel.send(_answer(json.loads(channel.receive()), channel))
        except BaseException as error:
            channel.send({"event": "raised", "why": raised(error)})
            raise


def _answer(request: dict[str, Any], channel: WorkerChannel) -> dict[str, Any]:
    sys.path[:] = request["path"]
    module, _, name = request["question"].partition(":")
    kind: Any = getattr(import_module(module), name)
    question: Question[Any] = TypeAdapter(kind).validate_python(request["asked"])
    try:
        answer = question.answer(lambda act: channel.send({"event": "doing", "act": act}))
    except HarnessError as error:
        return {"event": "refused", "error": type(error).__name__, "why": printable(str(error))}
    return {"event": "answer", "answer": answer.model_dump(mode="json")}


if __name__ == "__main__":
    main()
