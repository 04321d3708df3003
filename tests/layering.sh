#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# No include points to a higher floor, no two units include each other in a circle, no room is
# crowded, and every header compiles alone.
#   layering.sh [includes|headers]    without an argument: both

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
errors=0
fail() {
  echo "$1"
  errors=$((errors + 1))
}

# The floors of the house, lowest first: rooms end in a slash, single units stand for themselves.
# What is on one line may include each other. The units on the fourth line only declare what
# higher rooms define; `tape` and `fuse` are called by users and by the operations above them.
floors='autodiff/values/
autodiff/sparse/
autodiff/formula/
autodiff/ops autodiff/operations/ autodiff/hook
autodiff/kernels/
autodiff/engine/
autodiff/tape
autodiff/fuse
autodiff/ops/
autodiff/ops/linear_algebra/
autodiff/ops/networks/
autodiff/ops/sparse/
autodiff/ autodiff/derivatives/
autodiff/sparse/sparse_derivatives
data/files/
data/tables/
data/formats/
data/transforms/
data/splits/
data/sets/
data/batches/
optim/rules/
optim/schedules optim/optimizer optim/any_optimizer
optim/minimize/
optim/callbacks/
optim/
nn/metrics/
nn/model_ref nn/initialisation nn/state nn/modes
nn/layers/
nn/
nn/models/estimators/
nn/models/linear/
nn/models/networks/
nn/models/
ebb xtensor
tools/plot/
tools/gradbench/problems/
tools/gradbench/
examples/ tools/benchmarks/ tools/benchmarks/ad/ tools/benchmarks/limits/ tools/benchmarks/limits/ad/ tools/benchmarks/programs/ tools/proof/
tools/benchmarks/peers/'
folders=(autodiff data optim nn examples tools)
most_files=29  # of a room

# arrows ROOT: "file:line including-unit included-unit" for every include of ebb's own headers. A
# unit is a header with its source.
arrows() {
  (cd "$1" && grep -rnE --include='*.[ch]pp' '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]ebb/' \
    "${folders[@]}" 2> /dev/null) |
    sed -E 's|^([^:]+):([0-9]+):.*["<]ebb/([^">]+)[">].*|\1:\2 \1 \3|; s/\.[ch]pp / /; s/\.hpp$//'
}

# upward ROOT: the includes that point up, and the rooms that the list of floors lacks.
upward() {
  arrows "$1" | awk -v floors="$floors" '
    BEGIN {
      n = split(floors, line, "\n")
      for (i = 1; i <= n; ++i) {
        m = split(line[i], place, " ")
        for (k = 1; k <= m; ++k) floor[place[k]] = i
      }
    }
    function floor_of(unit, room) {
      room = unit
      sub(/[^\/]*$/, "", room)
      if (!(unit in floor) && !(room in floor)) return 0
      return unit in floor ? floor[unit] : floor[room]
    }
    {
      from = floor_of($2)
      to = floor_of($3)
      if (!from) print $1 ": " $2 " is in a room that has no floor; add it to the list"
      else if (!to) print $1 ": " $3 " is in a room that has no floor; add it to the list"
      else if (to > from) print $1 ": " $2 " must not include " $3 ", which is on a higher floor"
      else if ($2 ~ /^nn\// && $2 !~ /^nn\/models\// && $3 ~ /^optim\//)
        print $1 ": of nn only the models may include " $3
    }'
}

# circles ROOT: the units that include each other in a circle.
circles() {
  arrows "$1" | awk '$2 != $3 { print $3, $2 }' | tsort 2>&1 > /dev/null |
    sed 's/^tsort: -: input contains a loop:/units that include each other in a circle:/; s/^tsort: /  /'
}

# crowds ROOT: the rooms with more files than a reader looks through.
crowds() {
  (cd "$1" && find autodiff data optim nn tools -name '*.[ch]pp' -printf '%h/\n') | sort | uniq -c |
    awk -v most="$most_files" '
      $1 > most { print $2 " has " $1 " files; more than " most " are a crowd" }'
}

# The checks must see what they are for: in a small house of known faults.
check_faults_are_seen() {
  local house
  house=$(mktemp -d) || exit 1
  mkdir -p "$house"/{autodiff/{values,formula,ops,attic},data,optim,nn/models,examples,tools}
  echo '#include "ebb/autodiff/ops/sum.hpp"' > "$house/autodiff/values/array.hpp"
  echo '#include "ebb/autodiff/values/array.hpp"' > "$house/autodiff/ops/sum.hpp"
  echo '#include "ebb/autodiff/values/array.hpp"' > "$house/autodiff/attic/old.hpp"
  echo '#include "ebb/optim/adam.hpp"' > "$house/nn/linear.cpp"
  echo '#include "ebb/optim/adam.hpp"' > "$house/nn/models/trust.cpp"
  echo '#include <ebb/autodiff/formula/dual.hpp>' > "$house/autodiff/values/shape.hpp"
  echo '#include "ebb/autodiff/cellar/deep.hpp"' > "$house/autodiff/formula/dual.hpp"
  [[ $(upward "$house") == *'array.hpp:1: autodiff/values/array must not include autodiff/ops/sum'* ]] ||
    fail "an include that points up was not seen"
  [[ $(upward "$house") == *'old.hpp:1: autodiff/attic/old is in a room that has no floor'* ]] ||
    fail "a room without a floor was not seen"
  [[ $(upward "$house") == *'linear.cpp:1: of nn only the models may include optim/adam'* ]] ||
    fail "an include of optim by a layer was not seen"
  [[ $(upward "$house") != *'trust.cpp:1: of nn only'* ]] ||
    fail "an include of optim by a model was refused"
  [[ $(upward "$house") == *'shape.hpp:1: autodiff/values/shape must not include autodiff/formula/dual'* ]] ||
    fail "an include that points one floor up was not seen"
  [[ $(upward "$house") == *'dual.hpp:1: autodiff/cellar/deep is in a room that has no floor'* ]] ||
    fail "an include from a room without a floor was not seen"
  [[ $(circles "$house") == *circle*autodiff/ops/sum* ]] || fail "a circle of units was not seen"
  local i
  for ((i = 0; i < most_files; ++i)); do touch "$house"/{data,optim}/"$i.hpp"; done
  touch "$house/data/one_more.cpp"
  [[ $(crowds "$house") == "data/ has $((most_files + 1)) files;"* ]] ||
    fail "a room with a file too many was not seen"
  [[ $(crowds "$house") != *optim* ]] || fail "a full room was refused"
  rm -r "$house"
}

check_includes() {
  local line count
  check_faults_are_seen
  while IFS= read -r line; do fail "$line"; done < <(upward .; circles .; crowds .)
  while IFS= read -r line; do
    fail "$line: write the include as \"ebb/...\""
  done < <(grep -rnE --include='*.[ch]pp' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' \
    autodiff data optim nn examples tools/plot | grep -vE 'include[[:space:]]*"ebb/')
  count=$(arrows . | wc -l)
  ((count > 0)) || fail "no includes were found"
  echo "$count includes"
}

# Twice, so that a missing include guard shows as well.
compile_alone() {
  local header=$1 flags=$XTENSOR_FLAGS
  # The unit that includes a kernel says how wide its vectors are.
  [[ $header != autodiff/kernels/* ]] || flags+=" -DEBB_KERNEL_BYTES=16"
  # shellcheck disable=SC2086
  printf '#include "ebb/%s"\n#include "ebb/%s"\n' "$header" "$header" |
    $CXX -std=c++20 -Wall -Wextra $flags -Iinclude -fsyntax-only -x c++ - ||
    { echo "$header: does not compile alone"; return 1; }
}

check_headers() {
  export CXX=${CXX:-g++} XTENSOR_FLAGS=
  "$CXX" --version | grep -qi clang || XTENSOR_FLAGS=-fno-new-ttp-matching
  export -f compile_alone
  local -a headers
  mapfile -t headers < <(find ebb.hpp xtensor.hpp autodiff data nn optim tools/plot -name '*.hpp' | sort)
  # One process a header: xargs goes on after a failure and reports it at the end.
  # shellcheck disable=SC2016
  printf '%s\n' "${headers[@]}" |
    xargs -P "$(nproc)" -I{} bash -c 'compile_alone "$1"' _ {} ||
    fail "some headers do not compile alone"
  local heavy
  heavy=$("$CXX" -std=c++20 -Iinclude -M ebb.hpp |
    grep -oE '[^ ]*/(xtensor|xtensor-blas|xtl|xsimd|immintrin\.h|cblas[^ ]*\.h)[^ ]*' | head -n 3)
  [[ -z $heavy ]] || fail "ebb.hpp must stay light but includes $heavy"
  echo "${#headers[@]} headers"
}

case ${1:-both} in
  includes) check_includes ;;
  headers) check_headers ;;
  both)
    check_includes
    check_headers
    ;;
  *) fail "usage: layering.sh [includes|headers]" ;;
esac
((errors == 0)) || { echo "$errors errors"; exit 1; }
