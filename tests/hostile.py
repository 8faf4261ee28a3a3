"""A user's adapters that do what no adapter should, each at one place."""

from __future__ import annotations

from tests.tiny import MODELS, TinyBenchmark

HOSTILE = (
    MODELS
    + '''

import signal
import sys
from typing import Any

NOISE = 2**20


def everywhere():
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except FileNotFoundError:
        return list(range(256))


def garbage():
    for number in everywhere():
        try:
            os.write(number, b"\\xff{} not a message\\n")
        except OSError:
            pass


def close():
    os.closerange(3, 4096)


def fork():
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)


def daemon():
    if os.fork() == 0:
        os.setsid()
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()


def hang():
    for _ in range(15):
        daemon()
    if "HOSTILE_GATE" in os.environ:
        Path(os.environ["HOSTILE_GATE"]).write_text("hangs")
    time.sleep(600)


def noise():
    line = "\\x1b[31mloud\\x1b[0m \\x1b]0;title\\x07" * 8
    print("\\n".join([line] * (NOISE // len(line))))
    print(line, file=sys.stderr)
    os.write(1, b"from a C library\\n")


def strange():
    raise type("Strange", (Exception,), {})("\\x1b[31mred\\nsecond line")


DEEDS = {
    "exit": lambda: os._exit(0),
    "exit 3": lambda: os._exit(3),
    "sys.exit": lambda: sys.exit("no room"),
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "raise": strange,
    "garbage": garbage,
    "close": close,
    "fork": fork,
    "noise": noise,
    "hang": hang,
    "nothing": lambda: None,
}


@dataclass(frozen=True, kw_only=True)
class Hostile(Tiny):
    """Does something when it is made, asked for its inputs, built, traced, or in a step."""

    when: str = "never"
    deed: str = "nothing"

    def __post_init__(self):
        self.strike("made")

    def strike(self, now):
        if self.when in (now, "always"):
            DEEDS[self.deed]()

    def inputs(self):
        self.strike("inputs")
        return super().inputs()

    def build(self):
        self.strike("build")
        trunk, forward = super().build(), self.forward
        return forward(trunk)

    def forward(self, trunk):
        inner = trunk.forward

        def strike_first(features):
            if self.when in ("forward", "always") and features.device.type != "meta":
                self.strike(self.when)
                object.__setattr__(self, "when", "never")
            if "Fake" not in type(features).__name__:
                self.strike("step")
            return inner(features)

        trunk.forward = strike_first
        return trunk
'''
)

ON_IMPORT = {
    "raises_on_import": "raise RuntimeError('not on this machine')",
    "exits_on_import": "raise SystemExit(0)",
    "ends_on_import": "import os; os._exit(0)",
    "prints_on_import": "print('loud\\n' * 10**6)\nfrom hostile_models import Hostile",
}

SUITE = """
[suites.{name}]
title = "Hostile adapters"
task = "harness.tasks.verification:Verification"
protocol = 1
datasets = ["voices"]
models = [{models}]
losses = ["aam"]
profiles.quick = {{ recipe = "short" }}
"""


def add_hostile(tiny: TinyBenchmark) -> None:
    """Put the modules beside a tiny benchmark."""
    (tiny.folder / "hostile_models.py").write_text(HOSTILE)
    for name, text in ON_IMPORT.items():
        (tiny.folder / f"{name}.py").write_text(text + "\n")


def add_models(tiny: TinyBenchmark, suite: str, models: dict[str, str]) -> None:
    """Add models, each a TOML table's lines, and a suite of them."""
    tables = (f"[models.{name}]\n{table}\n" for name, table in models.items())
    listed = ", ".join(f'"{name}"' for name in models)
    text = "\n".join([*tables, SUITE.format(name=suite, models=listed)])
    tiny.config.write_text(tiny.config.read_text() + "\n" + text)


def hostile(when: str, deed: str) -> str:
    """The table of a model that does something at some time."""
    return f'adapter = "hostile_models:Hostile"\nwhen = "{when}"\ndeed = "{deed}"'


def imported(module: str) -> str:
    """The table of a model whose module does something."""
    return f'adapter = "{module}:Hostile"'
