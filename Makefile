# `make speaker` and `make test` each set up everything they need on a fresh clone.

PYTHON ?= python3
VENV := .venv
# Two jobs at a time: small networks do more on half of the cores each than one after the other on all.
WORKERS ?= 2
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup speaker image loss dialogue test test-all lint bench fingerprints lock clean

help:
	@echo "make speaker   set up, run the speaker suite (quick profile), print its leaderboard"
	@echo "make image     the same for the image suite;  make loss, make dialogue: for those suites"
	@echo "make test      set up, lint, type-check, run the tests"
	@echo "make test-all  the same with the tests that take minutes each"
	@echo "make bench     measure the harness itself against other ways to do the same; about two minutes"
	@echo "make setup     set up alone: $(VENV) with the exact versions of requirements.lock"

setup: $(READY)

speaker image loss dialogue: $(READY)
	@$(BIN)/harness run --suite $@ --profile quick --workers $(WORKERS)

test: SELECTED := -m "not long"
# Hundreds of processes are started: each would compile the same modules again. Files are taken in
# their order, at whose end are short ones: by the number of their tests the longest would be last.
test test-all: export PYTHONDONTWRITEBYTECODE =
test test-all: $(READY) lint
	@$(BIN)/python -m pytest -q -n logical --maxprocesses 8 --dist loadfile \
		--no-loadscope-reorder $(SELECTED)

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary

bench: $(READY)
	@$(BIN)/python -m pytest tests/benchmarks --benchmark-only -q -m "not long" --benchmark-columns=min,median,rounds

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or \
		sys.exit(f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}; say make PYTHON=python3.12")'
	@echo "Setting up $(VENV): about 6 GB, mostly PyTorch; one to ten minutes."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The fingerprints of adapters whose version was raised.
fingerprints: $(READY)
	@$(BIN)/python -m tests.testing.fingerprints

# Pins today's versions of everything, with hashes, for every supported Python and platform.
lock: $(READY)
	@$(BIN)/uv pip compile pyproject.toml --extra dev --extra gpu --universal --python-version 3.11 \
		--generate-hashes --no-annotate --quiet --custom-compile-command "make lock" \
		--output-file requirements.lock

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
