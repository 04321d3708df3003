#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/bench --peers says what to install where libtorch is missing, and touches nothing before.

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# A machine on which no package is installed, and where nothing may be installed or built.
for tool in dpkg-query apt-get sudo cmake; do
  printf '#!/bin/sh\necho %s >> "%s/called"\nexit 1\n' "$tool" "$work" > "$work/$tool"
  chmod +x "$work/$tool"
done
PATH=$work:$PATH tools/bench --peers step > "$work/out" 2> "$work/err"
status=$?

failed=0
fail() {
  echo "tools/bench --peers without libtorch: $1"
  failed=1
}
((status == 2)) || fail "the exit status is $status; it should be 2"
[[ ! -s $work/out ]] || fail "it printed: $(< "$work/out")"
[[ $(wc -l < "$work/err") == 1 && $(< "$work/err") == *"apt-get install libtorch-dev"* ]] ||
  fail "one line should say to install libtorch-dev: $(< "$work/err")"
[[ $(sort -u "$work/called") == dpkg-query ]] || fail "it called $(sort -u "$work/called")"
exit $failed
