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
MEASURED=${MEASURED-speaker image}
BATCHES=${BATCHES-16 32 64}
SEEDS=${SEEDS:-0}
DEVICE=${DEVICE:-cuda}
OPTIONS=${OPTIONS:-}
HOURS=${HOURS:-}
NIGHTS=${NIGHTS:-runs/nightly}
OUT=${OUT:-$NIGHTS/$NIGHT/artefacts}
REMOTE=${REMOTE:-origin}
BRANCH=${BRANCH:-nightly}

runs=$NIGHTS/$NIGHT
tables=$NIGHTS/branch
worst=0
ended=0
failed=()
left=()

say() { printf 'nightly: %s\n' "$*" >&2; }

# try LOG COMMAND...: runs a command, and keeps its messages in a log. A failure is kept for the
# end, so that one suite does not cost the others.
try() {
  local log=$1
  shift
  ended=0
  { "$@" 2>&1 1>&3 | tee -a "$OUT/$log.log" >&2; } 3>&1 || ended=$?
  if ((ended)); then
    say "ended with $ended: $*"
    failed+=("ended with $ended: $*")
    ((worst == 2)) || worst=$((ended == 2 ? 2 : 1))
  fi
}

# Seconds that are left of the night; a year where it has no end.
remaining() { echo $((${end:-31536000} - SECONDS)); }

# within LOG COMMAND...: the same, ended with the night.
within() { try "$1" timeout --kill-after=60 "$(remaining)" "${@:2}"; }

leave() {
  left+=("$*")
  say "left for the next night: $*"
}

# What the last night left comes first, so that no suite is left night after night.
ordered() {
  local suite
  for suite in $(cat "$NIGHTS/left" 2>/dev/null) $SUITES; do
    if [[ " $SUITES " == *" $suite "* ]]; then echo "$suite"; fi
  done | awk '!seen[$0]++'
}

# Seconds that a suite takes here, as far as that is known.
planned() {
  # shellcheck disable=SC2086 # Several options.
  try "$1" "$HARNESS" plan --suite "$1" --profile "$PROFILE" --seeds "$SEEDS" \
    --device "$DEVICE" --runs "$runs" --json $OPTIONS >"$OUT/planned-$1.json"
  "$PYTHON" -c 'import json, sys; print(round(json.load(sys.stdin)["seconds"]))' \
    <"$OUT/planned-$1.json" 2>/dev/null || echo 0
}

# section TITLE LINE...: a list on a page; nothing without lines.
section() {
  if (($# > 1)); then
    printf '\n## %s\n\n' "$1"
    printf -- '- %s\n' "${@:2}"
  fi
}

if [[ -n $HOURS ]]; then
  end=$(awk -v hours="$HOURS" 'BEGIN { print int(3600 * hours) }')
  if ((end < 1)); then
    say "HOURS=$HOURS: give hours above 0, as 8 or 0.5"
    exit 2
  fi
fi

# Figures of changed code have no commit that made them, and the history refuses them.
changed=$(git status --porcelain -- . ':!leaderboards' ':!docs' ':!README.md' ':!benchmark.lock')
if [[ -n $changed ]]; then
  say "the work tree is not clean, so tonight's figures would have no commit: $changed"
  exit 2
fi

# Stages found made are not made again, so each night has a runs folder of its own. What is decoded
# of the corpora is no measurement, and all nights share it.
mkdir -p "$runs" "$NIGHTS/cache" "$OUT"
[[ -e $runs/cache ]] || ln -s ../cache "$runs/cache"

# First, whether the card's figures can be trusted at all. A failure is kept; the night goes on.
if [[ $DEVICE == cuda ]]; then
  try gpu-check env RUNS="$NIGHTS" OUT="$OUT/gpu-check" HARNESS="$HARNESS" PYTHON="$PYTHON" \
    DEVICE="$DEVICE" ci/gpu_check.sh >"$OUT/gpu-check.txt"
  cat "$OUT/gpu-check.txt" >&2
fi

rest=()
for suite in $(ordered); do
  if [[ -n $HOURS ]] && seconds=$(planned "$suite") && ((seconds >= $(remaining))); then
    leave "$suite: takes $seconds s, and $(remaining) s were left"
    rest+=("$suite")
    continue
  fi
  # shellcheck disable=SC2086 # Several options.
  within "$suite" "$HARNESS" run --suite "$suite" --profile "$PROFILE" --seeds "$SEEDS" \
    --device "$DEVICE" --runs "$runs" $OPTIONS >"$OUT/$suite.txt"
  cat "$OUT/$suite.txt"
  if ((ended == 124 || ended == 137)); then
    leave "$suite: was not done when the night ended"
    rest+=("$suite")
  fi
done
printf '%s\n' "${rest[@]}" >"$NIGHTS/left"

for suite in $MEASURED; do
  if (($(remaining) < 60)); then
    leave "measuring $suite: no time was left"
    continue
  fi
  document=$OUT/measured-$suite.json
  # shellcheck disable=SC2086 # An option for each batch.
  within "measured-$suite" "$HARNESS" measure --suite "$suite" --profile "$PROFILE" \
    --device "$DEVICE" ${BATCHES:+$(printf -- '--batch %s ' $BATCHES)} \
    --runs "$runs" --json >"$document"
  [[ -s $document ]] || rm "$document" # It was ended before it had anything to tell.
done

# The history goes on from the branch, in a work tree of its own: this one stays as it is.
git worktree remove --force "$tables" 2>/dev/null || rm -rf "$tables"
git worktree prune
missing=0
git ls-remote --exit-code --heads "$REMOTE" "refs/heads/$BRANCH" >/dev/null || missing=$?
if ((missing == 2)); then
  say "$REMOTE has no branch $BRANCH yet; it begins tonight"
  git worktree add --quiet --detach "$tables" HEAD
else
  git fetch --quiet "$REMOTE" "$BRANCH"
  git worktree add --quiet --detach "$tables" FETCH_HEAD
fi

folder=$tables/leaderboards
mkdir -p "$folder/history" "$folder/nightly"
request=$OUT/pull-request.md
if compgen -G "$runs/*/*/*/*/record.json" >/dev/null; then
  "$HARNESS" history add --runs "$runs" --night "$NIGHT" --folder "$folder"
  try judge "$HARNESS" history judge --folder "$folder" --night "$NIGHT" >"$OUT/judge.txt"
  try board "$HARNESS" history board --runs "$runs" --night "$NIGHT" --folder "$folder" >"$request"
else
  say "no job was run"
  worst=$((worst ? worst : 1))
  printf '# Night of %s: no job was run\n' "$NIGHT" >"$request"
fi
{
  section "Left for the next night" "${left[@]}"
  section "Failed" "${failed[@]}"
} >>"$request"

# What a step was predicted to take, beside what it took; without a GPU that page stays as it is.
if compgen -G "$OUT/measured-*.json" >/dev/null; then
  try memory "$PYTHON" -m docs.memory "$OUT"/measured-*.json --gpu --page "$tables/docs/memory.md"
fi
cp -r "$folder/history" "$folder/nightly" "$tables/docs/memory.md" "$OUT/"
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  cat "$request" "$folder/history/README.md" >>"$GITHUB_STEP_SUMMARY"
fi

git -C "$tables" add --all -- leaderboards/history leaderboards/nightly docs/memory.md
if git -C "$tables" diff --cached --quiet; then
  say "nothing new in the history"
else
  git -C "$tables" -c "user.name=${GIT_NAME:-nightly}" \
    -c "user.email=${GIT_EMAIL:-nightly@users.noreply.github.com}" \
    commit --quiet --message "Night of $NIGHT"
  git -C "$tables" push --quiet "$REMOTE" "HEAD:refs/heads/$BRANCH"
fi
git worktree remove --force "$tables"
say "pages, logs and the text of a pull request: $OUT"

exit "$worst"
