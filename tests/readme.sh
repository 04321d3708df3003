#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The programs of the README, and of the pages that show whole programs, compile and print what the
# pages say; that of docs/plotting.md draws.
# usage: readme.sh COMPILER LIBRARY OPENBLAS PLOT_LIBRARY

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
compiler=$1 library=$2 openblas=$3 plot=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Every ```cpp block goes to N.cpp, every ```text block that follows one to N.txt.
awk -v dir="$work" '
  /^```cpp$/  { ++n; file = dir "/" n ".cpp"; open = n; next }
  /^```text$/ && open { file = dir "/" open ".txt"; open = 0; next }
  /^```/      { file = ""; next }
  file        { print > file }' README.md docs/optimizers.md docs/training.md docs/metrics.md \
  docs/layers.md docs/estimators.md docs/deployment.md docs/formulas.md

failed=0 count=0
for source in "$work"/*.cpp; do
  count=$((count + 1))
  name=${source%.cpp}
  if ! "$compiler" -std=c++20 -O1 -Iinclude "$source" "$library" "$openblas" -lz -o "$name"; then
    echo "program $count of the pages does not compile"
    failed=1
  elif ! diff "$name.txt" <(cd "$work" && "$name"); then
    echo "program $count of the pages prints something else"
    failed=1
  fi
done
((count >= 9)) || { echo "the pages show $count programs; there were nine"; exit 1; }

awk '/^```cpp$/ { open = 1; next } /^```/ { open = 0 } open' docs/plotting.md > "$work/plotting.cpp"
if ! "$compiler" -std=c++20 -O1 -Iinclude "$work/plotting.cpp" "$plot" "$library" "$openblas" -o "$work/plotting"; then
  echo "the program of docs/plotting.md does not compile"
  failed=1
else
  for path in "$PATH" ''; do
    file=$(cd "$work" && PATH=$path ./plotting 2> /dev/null)
    [[ $file == descent.* && -s $work/$file ]] ||
      { echo "the program of docs/plotting.md says it wrote '$file'"; failed=1; }
  done
fi
exit $failed
