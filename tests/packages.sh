#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/packages.txt names exactly what the build files and the sources ask for, and the documents
# ask for nothing else.

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
errors=0
fail() {
  echo "$1"
  errors=$((errors + 1))
}

# What the files ask for, and the Debian package that has it ("-": none is needed, for it comes with
# the compiler, or is left out where it is not found).
declare -A package_of=(
  [find:Threads]=-
  [find:EbbOpenBLAS]=libopenblas-dev
  [find:EbbCompression]=libzip-dev
  [find:zip]=libzip-dev
  [find:zip.h]=libzip-dev
  [find:z]=zlib1g-dev
  [find:zlib.h]=zlib1g-dev
  [find:xtensor]=libxtensor-dev
  [find:xtensor-blas/xlinalg.hpp]=libxtensor-blas-dev
  [find:xsimd]=libxsimd-dev
  [find:doctest]=doctest-dev
  [find:CLI11]=libcli11-dev
  [find:benchmark]=libbenchmark-dev
  [find:nlohmann_json]=nlohmann-json3-dev
  [find:SQLite3]=libsqlite3-dev
  [find:Torch]=-
  [find:openblas]=libopenblas-dev
  [find:openblas_config.h]=libopenblas-dev
  [include:cblas.h]=libopenblas-dev
  [include:cblas-openblas.h]=libopenblas-dev
  [include:xtensor]=libxtensor-dev
  [include:xtl]=libxtensor-dev
  [include:xtensor-blas]=libxtensor-blas-dev
  [include:xflens]=libxtensor-blas-dev
  [include:xsimd]=libxsimd-dev
  [include:doctest]=doctest-dev
  [include:CLI]=libcli11-dev
  [include:benchmark]=libbenchmark-dev
  [include:torch]=-
  [include:nlohmann]=nlohmann-json3-dev
  [generator:Ninja]=ninja-build
  [language:CXX]=g++
  [tool:cmake]=cmake
  [tool:gnuplot]=gnuplot-nox
  [tool:pkg-config]=pkg-config
)

asked() {
  local build_files=(CMakeLists.txt cmake/*.cmake)
  sed -nE 's/^ *find_package\(([A-Za-z0-9_]+).*/find:\1/p' "${build_files[@]}"
  sed -nE 's/^ *find_path\([A-Za-z0-9_]+ (NAMES )?([^ )]+).*/find:\2/p' "${build_files[@]}"
  sed -nE 's/^ *find_library\([A-Za-z0-9_]+ (NAMES )?([^ )]+).*/find:\2/p' "${build_files[@]}"
  sed -nE 's/^ *find_program\([A-Za-z0-9_]+ (NAMES )?([^ )]+).*/tool:\2/p' "${build_files[@]}"
  sed -nE 's/^project\(.*LANGUAGES (.*)/language:\1/p' CMakeLists.txt
  sed -nE 's/.*"generator": "([^"]+)".*/generator:\1/p' CMakePresets.json
  grep -q '^cmake_minimum_required' CMakeLists.txt && echo tool:cmake
  grep -q pkg-config tests/consumer.sh && echo tool:pkg-config
  grep -q '/gnuplot"' tools/plot/gnuplot.cpp && echo tool:gnuplot
  # Headers of others: everything in <> that has a folder, less the system's and our own.
  grep -rhoE --include='*.[ch]pp' '^#[[:space:]]*include <(cblas[^>]*\.h|[^>/]+/)' \
    ebb.hpp xtensor.hpp autodiff data nn optim tools examples tests 2> /dev/null |
    sed -E 's/.*<([^/]+).*/include:\1/' | grep -vxE 'include:(ebb|sys|linux|sanitizer)'
}

declare -A needed=()
while read -r item; do
  package=${package_of[$item]:-}
  if [[ -z $package ]]; then
    fail "$item is asked for, but this test does not know its package"
  elif [[ $package != - ]]; then
    needed[$package]=$item
  fi
done < <(asked | sort -u)

declare -A listed=()
while read -r package; do
  [[ $package =~ ^[a-z0-9][a-z0-9+.-]+$ ]] || fail "packages.txt: '$package' is no package name"
  [[ -z ${listed[$package]:-} ]] || fail "packages.txt: $package stands there twice"
  listed[$package]=1
done < tools/packages.txt

for package in "${!needed[@]}"; do
  [[ -n ${listed[$package]:-} ]] || fail "packages.txt lacks $package (for ${needed[$package]})"
done
for package in "${!listed[@]}"; do
  [[ -n ${needed[$package]:-} ]] || fail "packages.txt names $package, which nothing asks for"
done

# README.md and docs/building.md install nothing else, and the latter names every package.
for document in README.md docs/building.md; do
  commands=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$document" |
    grep -oE 'apt(-get)? install [^`]*' || true)
  for word in $(sed -E 's/apt(-get)? install//; s/[#&|;$<].*//' <<< "$commands"); do
    [[ $word == -* || -n ${listed[$word]:-} ]] || grep -qx "$word" tools/packages-ci.txt ||
      fail "$document installs $word, which packages.txt does not name"
  done
done
for package in "${!listed[@]}"; do
  [[ " $(tr '\n' ' ' <<< "$commands") " == *" $package "* ]] ||
    fail "docs/building.md does not name $package"
done

for option in $(sed -nE 's/^option\((EBB_[A-Z]+) .*/\1/p' CMakeLists.txt); do
  grep -q "\`$option\`" docs/building.md || fail "docs/building.md does not name $option"
done

((errors == 0)) || { echo "$errors errors"; exit 1; }
echo "${#listed[@]} packages"
