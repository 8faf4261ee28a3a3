"""The process that runs one job: `python -m harness.run.execute.worker REQUESTS MESSAGES`.

It reads the job's spec as a line of JSON from one descriptor and sends progress and the result as
messages on the other one (see `harness.run.execute.messages`).
"""

from __future__ import annotations

from harness.errors import raised
from harness.records.damage import hear_damage
from harness.run.events import ProgressEvent, message_sender
from harness.run.execute.messages import open_channel
from harness.run.job.spec import JobSpec


def main() -> None:
    """Run the job that is asked for."""
    channel = open_channel()
    spec = JobSpec.model_validate_json(channel.receive())

    def send(event: ProgressEvent) -> None:
        known = {name: value for name, value in vars(event).items() if value is not None}
        channel.send({"event": "progress", "progress": known})

    try:
        from harness.run.job.stages import answer_job

        with hear_damage(message_sender(send)):
            result = answer_job(spec, send)
    except BaseException as error:
        channel.send({"event": "raised", "why": raised(error)})
        raise
    channel.send({"event": "result", "result": result})


if __name__ == "__main__":
    main()
