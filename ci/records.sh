#!/usr/bin/env bash
# The check of a change of the published tables: files are what their records give, new records may
# be there, and their numbers are those of their scores.
#
# Usage: ci/records.sh [BASE]; BASE is where the change goes to, origin/main unless told. Prints
# what changes in the tables, as Markdown; ends with 1 where anything is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

HARNESS=${HARNESS:-.venv/bin/harness}
target=${1:-origin/main}
wrong=0

say() { printf 'records: %s\n' "$*" >&2; }

# What the target got since the change began is not the change's.
if ! base=$(git merge-base "$target" HEAD); then
  say "no common history with $target; fetch it first, all of it, as in git fetch origin main"
  exit 2
fi

# What judges a change is the change's own program, which people have to read first.
judges=$(git diff --name-only "$base" -- .github ci harness pyproject.toml requirements.lock)
if [ -n "$judges" ]; then
  say "the change edits what judges it; read this first, or judge it by the program of $target" \
    "(HARNESS=...): ${judges//$'\n'/, }"
fi

say "files against their records"
"$HARNESS" board check >&2 || wrong=1

say "the change against $base"
"$HARNESS" board admit --base "$base" || wrong=1

exit "$wrong"
