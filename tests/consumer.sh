#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the consumer project against ebb in every way a user may, static and shared, and looks
# at what is installed: no machine flags, no paths of the build.
#   consumer.sh [TREE]    a tree in which ebb is built as a static library, which is installed from
# there in place of a build of its own

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT
passed=0
failed=0

# step NAME COMMAND...: runs it quietly and shows the output of a failure.
step() {
  local name=$1
  shift
  if "$@" > "$work/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    tail -n 40 "$work/log" | sed 's/^/        /'
    return 1
  fi
}

# The gradient of sum(w * w) at (1, 2) is (2, 4); a query of SQLite gives (12, 14).
right_answer() {
  local text
  text=$("$@") || return 1
  echo "$text"
  case $1 in
    *sqlite) [[ $text =~ 12[^0-9]+14 ]] ;;
    *) [[ $text =~ (^|[^0-9])2[^0-9]+4 ]] ;;
  esac
}

build() {
  local directory=$1
  shift
  cmake -G Ninja -S "$source_dir/tests/consumer" -B "$directory" -DCMAKE_BUILD_TYPE=Release "$@" &&
    cmake --build "$directory" --parallel "$(nproc)" &&
    right_answer "$directory/consumer" && right_answer "$directory/consumer_xtensor" &&
    right_answer "$directory/consumer_sqlite" &&
    (cd "$directory" && right_answer ./consumer_files && right_answer ./consumer_plot)
}

# Whoever links a static ebb loads the libraries of compressed files only if the program reads some.
loads_little() {
  local program=$1 found
  found=$(readelf -d "$program" | grep -E 'NEEDED.*lib(z|zip)\.so')
  [[ -z $found ]] || { echo "$program needs $found"; return 1; }
}

# with_pkg_config PREFIX PACKAGE PROGRAM [FLAGS...]: with what pkg-config says of a package.
with_pkg_config() {
  local prefix=$1 package=$2 program=$3
  shift 3
  local flags
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name ebb.pc)")
  export PKG_CONFIG_PATH
  flags=$(pkg-config --cflags --libs "$@" "$package") || return 1
  [[ $package != ebb-sqlite ]] || flags="-DCONSUMER_SQLITE $flags"
  [[ $package != ebb-plot ]] || flags="-DCONSUMER_PLOT $flags"
  echo "$flags"
  # shellcheck disable=SC2086
  $CXX -std=c++20 -O1 "$source_dir/tests/consumer/main.cpp" $flags -o "$program" || return 1
  (cd "$work" && LD_LIBRARY_PATH=$(pkg-config --variable=libdir ebb) right_answer "$program")
}

exports_are_clean() {
  local prefix=$1 found
  found=$(grep -rnE -e '-march|-mtune|-mavx|-mfma|fast-math|-ffp-contract|-fsanitize' \
    --include='*.cmake' --include='*.pc' "$prefix")
  [[ -z $found ]] || { echo "machine flags: $found"; return 1; }
  found=$(grep -rlF -e "$source_dir" -e "$work" "$prefix")
  [[ -z $found ]] || { echo "paths of the build in $found"; return 1; }
  found=$(grep -rnE '/(usr/)?lib/[^ ]*(libopenblas|libblas)' --include='*.cmake' --include='*.pc' \
    "$prefix")
  [[ -z $found ]] || { echo "paths of this machine's libraries: $found"; return 1; }
}

# setting NAME: of the tree.
setting() {
  sed -n "s/^$1:[A-Z]*=//p" "$tree/CMakeCache.txt"
}

tree=${1:+$(realpath -- "$1")}
[[ -z $tree ]] || CXX=${CXX:-$(setting CMAKE_CXX_COMPILER)}
export CXX=${CXX:-g++}
# How fast the library is does not matter here, and without optimisation it builds in half the time;
# but what is cached for that tree need not be built again.
options=("-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG")
if [[ -n $tree && ${CMAKE_CXX_COMPILER_LAUNCHER:-} == ccache ]]; then
  options=("-DEBB_WERROR=$(setting EBB_WERROR)")
fi
for kind in static shared; do
  base=$work/$kind
  shared=OFF
  [[ $kind == static ]] || shared=ON
  built=$base/subdirectory
  if [[ $kind == static && -n $tree ]]; then
    built=$tree
  else
    step "$kind: add_subdirectory" build "$built" "-DEBB_SOURCE_DIR=$source_dir" \
      -DBUILD_SHARED_LIBS=$shared -DEBB_INSTALL=ON "${options[@]}" || continue
  fi
  step "$kind: install" cmake --install "$built" --prefix "$base/first" || continue
  # An installed copy may be moved, and must not need the tree it was built in.
  mv "$base/first" "$base/installed"
  [[ $built == "$tree" ]] || mv "$built" "$base/gone"
  step "$kind: exported files" exports_are_clean "$base/installed"
  step "$kind: find_package" build "$base/package" "-DCMAKE_PREFIX_PATH=$base/installed"
  step "$kind: pkg-config" with_pkg_config "$base/installed" ebb "$base/plain"
  step "$kind: pkg-config of SQLite" with_pkg_config "$base/installed" ebb-sqlite "$base/sqlite"
  step "$kind: pkg-config of pictures" with_pkg_config "$base/installed" ebb-plot "$base/plot"
  [[ $kind == shared ]] && continue
  step "$kind: pkg-config --static" with_pkg_config "$base/installed" ebb "$base/plain_static" \
    --static
  step "$kind: libraries of a program" loads_little "$base/package/consumer"
  step "$kind: libraries of a program by pkg-config" loads_little "$base/plain"
done
echo "$passed passed, $failed failed"
((failed == 0))
