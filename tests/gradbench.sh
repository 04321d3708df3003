#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The program that speaks GradBench's protocol answers each line by a line, and says which one it
# cannot read.
#   gradbench.sh BUILD

program=$1/ebb_gradbench
errors=0
# expect HEADING EXPECTED ACTUAL
expect() {
  [[ $3 == "$2" ]] && return
  printf '%s: expected\n%s\nnot\n%s\n' "$1" "$2" "$3"
  errors=$((errors + 1))
}

session='{"id": 0, "kind": "start", "eval": "hello"}
{"id": 1, "kind": "define", "module": "hello"}
{"id": 2, "kind": "evaluate", "module": "hello", "function": "double", "input": 16}
{"id": 3, "kind": "analysis", "of": 2, "valid": true}'
answers='{"id":0,"tool":"ebb"}
{"id":1,"success":true}
{"id":2,"output":32.0,"success":true}
{"id":3}'
times='"timings":\[\{"name":"prepare","nanoseconds":[0-9]+\},\{"name":"evaluate","nanoseconds":[0-9]+\}\]'
expect "a session" "$answers" "$(timeout 60 "$program" <<< "$session" | sed -E "s/,$times//")"

output=$(printf '{"id": 0, "kind": "start"}\nno JSON\n' | timeout 60 "$program" 2>&1)
expect "a line that is not JSON ends with status" 1 $?
expect "a line that is not JSON" '{"id":0,"tool":"ebb"}
gradbench: line 2 is not JSON' "$output"

exit $((errors > 0))
