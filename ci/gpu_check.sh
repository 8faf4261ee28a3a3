#!/usr/bin/env bash
# The check of the GPU path, for whoever has a card: under ten minutes on one NVIDIA GPU.
#
# Settings are variables of the environment; docs/nightly.md tells of each and of the sections. The
# summary goes to standard output, the logs to $OUT. Ends with 1 where anything is wrong.
set -uo pipefail
cd "$(dirname "$0")/.."

HARNESS=${HARNESS:-.venv/bin/harness}
PYTHON=${PYTHON:-.venv/bin/python}
DEVICE=${DEVICE:-cuda}
SECTIONS=${SECTIONS-probe speaker half resume measure}
CHECKS=${CHECKS:-}
MODELS=${MODELS:-ecapa-512 campplus eres2net}
BATCHES=${BATCHES-16 32 64}
RESUMED=${RESUMED:-ecapa-512}
STEPS=${STEPS:-300}
SUITE=${SUITE:-speaker}
DATASET=${DATASET:-open-26666}
SLOWER=$([[ $DEVICE == cpu ]] && echo 10 || echo 1) # A dry run has more time.
LIMIT=${LIMIT:-$((590 * SLOWER))}
RUNS=${RUNS:-runs}
OUT=${OUT:-$RUNS/gpu-check}

wrong=0
mkdir -p "$RUNS/cache" "$OUT" && rm -f "$OUT"/*.log "$OUT"/*.err || exit 2
# Anew each time, but for what is decoded of the corpora.
work=$(mktemp -d "$RUNS/gpu-check-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT

folder() { # A runs folder of its own.
  mkdir -p "$work/$1" && ln -s ../../cache "$work/$1/cache"
  printf '%s' "$work/$1"
}

fail() {
  printf 'WRONG %s\n' "$*"
  wrong=1
}

# within SECONDS NAME COMMAND...: runs it for so long at the most, and tells how it ended.
within() {
  local most=$((SLOWER * $1)) name=$2 began=$SECONDS code=0
  shift 2
  ((most > LIMIT - SECONDS)) && most=$((LIMIT - SECONDS))
  if ((most < 1)); then
    fail "[$name] not run: the $LIMIT s are over"
    return 1
  fi
  timeout --kill-after=5 "$most" "$@" >"$OUT/$name.log" 2>"$OUT/$name.err" || code=$?
  case $code in
    0) printf 'ok    [%s] %d s\n' "$name" $((SECONDS - began)) ;;
    124 | 137) fail "[$name] not done after $most s; see $OUT/$name.err" ;;
    *) fail "[$name] ended with $code: $(tail -n 1 "$OUT/$name.err"); see $OUT/$name.err" ;;
  esac
  return "$code"
}

run() { # A training of one network on the command line, in a runs folder.
  printf '%s\n' "$HARNESS" run --suite "$SUITE" --profile quick --dataset "$DATASET" \
    --model "$RESUMED" --loss aam --seeds 3 --device "$DEVICE" --runs "$@"
}

probe() {
  # shellcheck disable=SC2086 # A word for each check.
  within 200 probe "$PYTHON" -m ci.gpu_probe --device "$DEVICE" $CHECKS
  [[ -s $OUT/probe.log ]] && cat "$OUT/probe.log"
}

speaker() {
  within 150 speaker "$HARNESS" run --suite "$SUITE" --profile quick --dataset "$DATASET" \
    --device "$DEVICE" --runs "$(folder speaker)"
  [[ -s $OUT/speaker.log ]] && cut -c 1-160 "$OUT/speaker.log"
}

half() { # Gradients of half precision overflow at first, and are clipped.
  mapfile -t command < <(run "$(folder half)" --set precision=16-mixed --set clip_norm=5.0 \
    --set steps=60)
  within 60 half "${command[@]}"
}

resume() { # A training cut off by SIGKILL ends with the weights of an unbroken one.
  local cut whole command sums
  cut=$(folder cut) whole=$(folder whole)
  mapfile -t command < <(run "$whole" --set "steps=$STEPS" --set checkpoints=20)
  within 60 unbroken "${command[@]}" || return
  mapfile -t command < <(run "$cut" --set "steps=$STEPS" --set checkpoints=20)
  within 60 cut "$PYTHON" -m ci.cut_off "$cut" "${command[@]}" || return
  within 60 resumed "${command[@]}" || return
  sums=$(sha256sum "$whole"/stages/train-*/weights.safetensors "$cut"/stages/train-*/weights.safetensors |
    cut -c 1-64 | sort | uniq -c | awk '{print $1}')
  if [[ $sums == 2 ]]; then
    echo "ok    resume: cut off and resumed, $RESUMED has the bits of an unbroken training"
  else
    fail "resume: cut off and resumed, $RESUMED has other bits than unbroken"
  fi
}

measure() { # What a step was told to take, beside what it took.
  # shellcheck disable=SC2046,SC2086 # An option for each model and batch.
  within 280 measure "$HARNESS" measure --suite "$SUITE" --profile quick --dataset "$DATASET" \
    --device "$DEVICE" --runs "$(folder measure)" $(printf -- '--model %s ' $MODELS) \
    ${BATCHES:+$(printf -- '--batch %s ' $BATCHES)} --json
  cp docs/memory.md "$OUT/memory.md"
  within 20 memory "$PYTHON" -m docs.memory "$OUT/measure.log" --gpu --page "$OUT/memory.md" &&
    sed -n '/<!-- predicted and measured -->/,/<!-- end/p' "$OUT/memory.md" | grep '^|'
}

for section in $SECTIONS; do
  case $section in
    probe | speaker | half | resume | measure) "$section" ;;
    *) echo "no such section: $section; there are probe, speaker, half, resume, measure" >&2 && exit 2 ;;
  esac
done
((wrong)) && verdict="something is wrong" || verdict="all as it should be"
echo "gpu_check: $verdict, after $SECONDS s"
exit "$wrong"
