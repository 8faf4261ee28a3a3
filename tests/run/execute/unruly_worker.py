"""A worker that does what an adapter's code may do to its processes: run by test_supervisor."""

from __future__ import annotations

import os
import signal
import time

from harness.run.execute.messages import open_channel

FOREVER = 600.0


def sleep() -> None:
    time.sleep(FOREVER)


def leave_daemon() -> None:
    """Start a process as daemons do: forked twice, a session of its own, deaf to signals."""
    if os.fork() == 0:
        os.setsid()
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        if os.fork() == 0:
            time.sleep(FOREVER)
        os._exit(0)
    os.wait()


def leave_crowd() -> None:
    """Start 15 of them."""
    for _ in range(15):
        leave_daemon()


def stop_parent() -> None:
    leave_daemon()
    os.kill(os.getppid(), signal.SIGSTOP)


def kill_parent() -> None:
    leave_daemon()
    os.kill(os.getppid(), signal.SIGKILL)


def kill_group() -> None:
    leave_daemon()
    os.killpg(0, signal.SIGKILL)


def crash() -> None:
    leave_daemon()
    os.kill(os.getpid(), signal.SIGSEGV)


def main() -> None:
    """Do what is asked for, say so, then end or sleep."""
    channel = open_channel()
    deed, then = channel.receive().split()
    globals()[deed]()
    channel.send({"event": "progress", "progress": {"kind": "stage", "text": deed, "total": 7}})
    while then == "talk":
        channel.send({"event": "progress", "progress": {"kind": "advance", "done": 3}})
        time.sleep(0.01)
    if then == "sleep":
        time.sleep(FOREVER)


if __name__ == "__main__":
    main()
