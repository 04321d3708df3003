#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the fuzzers of the file readers with clang and sanitizers and runs them, one on each core.
#   fuzz.sh [seconds each: 60] [format...: all]
# Exit status: 0 nothing found, 1 something found (the input is kept in build/fuzz), 2 the set-up
# failed. What a reader's fuzzer starts from stands in tests/fuzz/corpus/FORMAT, and in
# tests/data/corpus/FORMAT if there is such a folder; csv_dataset has its own and that of csv, and
# so has npy_rows that of npy.

. "$(dirname -- "${BASH_SOURCE[0]}")/../tools/setup.sh" || exit 2
cd "$ebb_root" || exit 2
seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || ebb_give_up "usage: fuzz.sh [seconds] [format...]"
formats=("${@:2}")
if ((${#formats[@]} == 0)); then
  for source in tests/fuzz/*_fuzz.cpp; do
    formats+=("$(basename "$source" _fuzz.cpp)")
  done
fi

build=build/fuzz
mkdir -p "$build" || exit 2
{ cmake --preset fuzz || cmake --fresh --preset fuzz; } > "$build/setup.log" 2>&1 &&
  cmake --build "$build" --parallel "$ebb_jobs" --target fuzzers >> "$build/setup.log" 2>&1 ||
  ebb_give_up "mend the first error in $build/setup.log, then run this again"

# The readers are told to take 16 MB at most; the rest is what the sanitizers add. They keep 256 MB
# of what was freed unless they are told otherwise, which would count as memory of the readers.
export ASAN_OPTIONS="quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
limits=(-rss_limit_mb=512 -malloc_limit_mb=64 -timeout=10 -max_len=65536)

# fuzz FORMAT: 1 if something was found.
fuzz() {
  local format=$1 inputs=$build/inputs/$1 log=$build/$1.log name folder runs
  local -a kept=()
  if [[ $format == sqlite && ! -x $build/sqlite_fuzz ]]; then
    echo "sqlite: left out, as SQLite was not found"
    return 0
  fi
  if [[ $format == model && ! -x $build/model_fuzz ]]; then
    echo "model: left out, as it needs build/release/libebb.a, which tools/run-tests builds"
    return 0
  fi
  mkdir -p "$inputs"
  for name in "$format" "${format%%_*}"; do
    for folder in "tests/fuzz/corpus/$name" "tests/data/corpus/$name"; do
      [[ -d $folder && " ${kept[*]} " != *" $folder "* ]] && kept+=("$folder")
    done
  done
  if "$build/${format}_fuzz" "${limits[@]}" -max_total_time="$seconds" \
    -artifact_prefix="$build/$format-" -print_final_stats=1 "$inputs" "${kept[@]}" \
    > "$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$format: nothing found in ${runs:-no} runs"
    return 0
  fi
  printf '%s: FOUND\n%s\n' "$format" \
    "$(grep -aE '^==[0-9]+==|SUMMARY|ERROR|Test unit written' "$log" | head -n 20)"
  return 1
}

for format in "${formats[@]}"; do
  [[ -f tests/fuzz/${format}_fuzz.cpp ]] || ebb_give_up "there is no tests/fuzz/${format}_fuzz.cpp"
done
found=0
running=0
for format in "${formats[@]}"; do
  if ((running == ebb_jobs)); then
    wait -n || found=1
  else
    running=$((running + 1))
  fi
  fuzz "$format" &
done
for ((; running > 0; --running)); do wait -n || found=1; done
exit $found
