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

say "files against their records"
"$HARNESS" board check >&2 || wrong=1

say "the change against $base"
"$HARNESS" board admit --base "$base" || wrong=1

# What lies beside a record is verified with it.
beside='s/(\.details\.json|(\.attestation-[^/]*)?\.(json|scores\.npz|sig))$/.json/; /\.json$/!d'
new=()
while IFS= read -r -d '' name; do
  if [[ -f $name ]]; then new+=("$name"); fi
done < <(
  {
    git diff --name-only --no-renames -z "$base" -- leaderboards/records
    git ls-files --others --exclude-standard -z -- leaderboards/records
  } | sed -zE "$beside" | sort -zu
)
if ((${#new[@]})); then
  say "${#new[@]} records against their scores"
  "$HARNESS" verify "${new[@]}" >&2 || wrong=1
fi

exit "$wrong"
