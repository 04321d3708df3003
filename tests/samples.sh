#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A user's program holds no sample and no checker, though the library does.
# usage: samples.sh COMPILER LIBRARY OPENBLAS

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
compiler=$1 library=$2 openblas=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pattern='samples\(|rejections\(|RegistryEntry|GradientReport'

nm -C "$library" 2> /dev/null | grep -qE "$pattern" || { echo "the library has no samples either"; exit 1; }
"$compiler" -std=c++20 -O1 -Iinclude tools/benchmarks/programs/train.cpp "$library" "$openblas" -o "$work/program" ||
  exit 1
if nm -C "$work/program" | grep -E "$pattern"; then
  echo "these came into a program that does not ask for them"
  exit 1
fi
