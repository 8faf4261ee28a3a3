"""The process that runs one job: `python -m harness.run.execute.worker REQUESTS MESSAGES`.

It reads the job's spec as a line of JSON from one descriptor and sends progress and the result as
messages on the other one (see `harness.run.execute.channel`).
"""

from __future__ import annotations

from harness.errors import raised
from harness.run.execute.channel import Channel, open_channel
from harness.run.job.spec import JobSpec


class ChannelReporter:
    """Progress as messages."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        self._channel.send({"event": "stage", "name": name, "total": total})

    def advance(self, done: int, loss: float | None = None) -> None:
        """Some of the stage is done."""
        self._channel.send({"event": "advance", "done": done, "loss": loss})


def main() -> None:
    """Run the job that is asked for."""
    channel = open_channel()
    spec = JobSpec.model_validate_json(channel.receive())
    try:
        from harness.run.job.run import run_asked

        result = run_asked(spec, ChannelReporter(channel))
    except BaseException as error:
        channel.send({"event": "raised", "why": raised(error)})
        raise
    channel.send({"event": "result", "result": result})


if __name__ == "__main__":
    main()
