#!/usr/bin/env bash
# One night: run the suites anew, measure, add to the history, judge it, push it to a branch.
#
# Settings are variables of the environment; docs/nightly.md tells of each. Ends with 1 where a
# figure regressed or a job failed, with 2 where the request was wrong; the history is pushed first.
set -euo pipefail
cd "$(dirname "$0")/.."

HARNESS=${HARNESS:-.venv/bin/harness}
PYTHON=${PYTHON:-.venv/bin/python}
NIGHT=${NIGHT:-$(date -u +%F)}
PROFILE=${PROFILE:-full}
SUITES=${SUITES:-speaker matched image loss}
MEASURED=${MEASURED:-speaker image}
BATCHES=${BATCHES-16 32 64}
SEEDS=${SEEDS:-0}
DEVICE=${DEVICE:-cuda}
NIGHTS=${NIGHTS:-runs/nightly}
REMOTE=${REMOTE:-origin}
BRANCH=${BRANCH:-nightly}

runs=$NIGHTS/$NIGHT
tables=$NIGHTS/branch
worst=0

say() { printf 'nightly: %s\n' "$*" >&2; }

# Runs a command; a failure is kept for the end, so that one suite does not cost the others.
try() {
  local code=0
  "$@" || code=$?
  if ((code)); then
    say "ended with $code: $*"
    ((code > worst)) && worst=$code
  fi
  return 0
}

# Figures of changed code have no commit that made them, and the history refuses them.
changed=$(git status --porcelain -- . ':!leaderboards' ':!docs' ':!README.md' ':!benchmark.lock')
if [[ -n $changed ]]; then
  say "the work tree is not clean, so tonight's figures would have no commit: $changed"
  exit 2
fi

# Stages found made are not made again, so each night has a runs folder of its own. What is decoded
# of the corpora is no measurement, and all nights share it.
mkdir -p "$runs" "$NIGHTS/cache"
[[ -e $runs/cache ]] || ln -s ../cache "$runs/cache"

# First, whether the card's figures can be trusted at all. A failure is kept; the night goes on.
if [[ $DEVICE == cuda ]]; then
  try env RUNS="$NIGHTS" HARNESS="$HARNESS" PYTHON="$PYTHON" DEVICE="$DEVICE" \
    ci/gpu_check.sh >"$runs/gpu-check.txt"
  cat "$runs/gpu-check.txt" >&2
fi

for suite in $SUITES; do
  try "$HARNESS" run --suite "$suite" --profile "$PROFILE" --seeds "$SEEDS" \
    --device "$DEVICE" --runs "$runs"
done
for suite in $MEASURED; do
  # shellcheck disable=SC2086 # An option for each batch.
  try "$HARNESS" measure --suite "$suite" --profile "$PROFILE" --device "$DEVICE" \
    ${BATCHES:+$(printf -- '--batch %s ' $BATCHES)} \
    --runs "$runs" --json >"$runs/measured-$suite.json"
done

# The history goes on from the branch, in a work tree of its own: this one stays as it is.
git worktree remove --force "$tables" 2>/dev/null || rm -rf "$tables"
git worktree prune
if git fetch --quiet "$REMOTE" "$BRANCH"; then
  git worktree add --quiet --detach "$tables" FETCH_HEAD
else
  say "$REMOTE has no branch $BRANCH yet; it begins tonight"
  git worktree add --quiet --detach "$tables" HEAD
fi

folder=$tables/leaderboards
"$HARNESS" history add --runs "$runs" --night "$NIGHT" --folder "$folder"
try "$HARNESS" history judge --folder "$folder" --night "$NIGHT"
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  cat "$folder/history/README.md" >>"$GITHUB_STEP_SUMMARY"
fi

# What a step was predicted to take, beside what it took; without a GPU that page stays as it is.
try "$PYTHON" -m docs.memory "$runs"/measured-*.json --gpu --page "$tables/docs/memory.md"

git -C "$tables" add --all -- leaderboards/history docs/memory.md
if git -C "$tables" diff --cached --quiet; then
  say "nothing new in the history"
else
  git -C "$tables" -c "user.name=${GIT_NAME:-nightly}" \
    -c "user.email=${GIT_EMAIL:-nightly@users.noreply.github.com}" \
    commit --quiet --message "Night of $NIGHT"
  git -C "$tables" push --quiet "$REMOTE" "HEAD:refs/heads/$BRANCH"
fi
git worktree remove --force "$tables"

exit "$worst"
