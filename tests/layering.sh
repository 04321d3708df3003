#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# No include points to a higher layer, and every header compiles alone.
#   layering.sh [includes|headers]    without an argument: both

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
errors=0
fail() {
  echo "$1"
  errors=$((errors + 1))
}

# layer  the parts of ebb that it may include
layers='autodiff  autodiff
data      autodiff data
nn        autodiff data nn
optim     autodiff data optim
examples  autodiff data nn optim ebb.hpp xtensor.hpp examples
tools     autodiff data nn optim ebb.hpp xtensor.hpp tools'

check_includes() {
  local layer allowed file line header part count=0
  while read -r layer allowed; do
    while IFS=: read -r file line header; do
      count=$((count + 1))
      header=${header#*[\"<]}
      part=${header#ebb/}
      part=${part%%/*}
      [[ " $allowed " == *" $part "* ]] ||
        fail "$file:$line: $layer must not include \"ebb/${header#ebb/}\""
    done < <(grep -rnoE --include='*.[ch]pp' '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]ebb/[^">]+' "$layer")
    [[ $layer == tools ]] && continue
    while IFS= read -r line; do
      fail "$line: write the include as \"ebb/...\""
    done < <(grep -rnE --include='*.[ch]pp' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$layer" |
      grep -vE 'include[[:space:]]*"ebb/')
  done <<< "$layers"
  ((count > 0)) || fail "no includes were found"
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
  mapfile -t headers < <(find ebb.hpp xtensor.hpp autodiff data nn optim -name '*.hpp' | sort)
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
