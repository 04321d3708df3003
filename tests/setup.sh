#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/run-examples and tools/run-tests say beforehand how long they take, report progress, build
# only what they run, and end with one line and an exit status that say how it went.

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp -r tools "$work/tools"
mkdir "$work/bin"
sed -i 's/^ebb_report_seconds=.*/ebb_report_seconds=1/' "$work/tools/setup.sh"

# stub NAME: a program of this name, from the standard input.
stub() {
  { echo '#!/bin/bash'; cat; } > "$work/bin/$1"
  chmod +x "$work/bin/$1"
}
# Every package is there, and the build takes two seconds; its targets come to stand in build/.
stub dpkg-query <<< 'echo installed'
stub nproc <<< 'echo 2'
stub cmake << END
[[ \$1 == --build ]] || exit 0
echo "\$@" > "$work/build_arguments"
echo '[3/12] Building something'
sleep 2
mkdir -p "$work/build/release"
for word in "\$@"; do
  [[ \$word != --target=* ]] || ln -sf "$work/example" "$work/build/release/\${word#--target=}"
done
exit "\$(cat "$work/build_status")"
END
stub ctest << 'END'
echo '50% tests passed, 1 tests failed out of 2'
exit 8
END
PATH=$work/bin:$PATH
echo 'true' > "$work/example"
chmod +x "$work/example"

failed=0
fail() {
  echo "$1"
  failed=1
}
# runs COMMAND STATUS: its output goes to `out` and `err`.
runs() {
  local status=0
  out=$("$work/tools/$1" 2> "$work/err") || status=$?
  err=$(< "$work/err")
  ((status == $2)) || fail "$1 exits with $status, not $2: $out$err"
}

examples=(examples/*.cpp)  # all are run
echo 0 > "$work/build_status"
runs run-examples 0
[[ $out == *$'\n'"all ${#examples[@]} examples succeeded" ]] || fail "the examples end with: $out"
[[ $err =~ 'takes about '[1-9][0-9]*' minutes'.*$'\n''3 of 12 steps, 0 min '[0-9]+' s' ]] ||
  fail "no progress of the examples: $err"
[[ $(< "$work/build_arguments") == *'--target=derivatives '*'--target=larger_than_memory' ]] ||
  fail "the examples build: $(< "$work/build_arguments")"

echo 'exit 1' > "$work/example"
runs run-examples 1
[[ $out == *"${#examples[@]} of ${#examples[@]} examples failed: derivatives "* ]] ||
  fail "failing examples end with: $out"

runs run-tests 1
[[ $out == *$'\n1 passed, 1 failed' ]] || fail "the tests end with: $out"
[[ $(< "$work/build_arguments") != *--target* ]] || fail "not all is built for the tests"

echo 1 > "$work/build_status"
runs run-examples 2
[[ $err == *$'\nset-up failed: mend the first error in '*'/build/setup.log, then run this again' ]] ||
  fail "a build that fails ends with: $err"
exit $failed
