#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The table of operations has a row for each that is registered, and no row lacks its call or its
# meaning; what has a kink says which slope it has there. docs/operations.md is what is printed.
#   ops.sh CMAKE DIRECTORY    builds the program in this folder

"$1" --build "$2" --target ebb_ops > /dev/null || { echo "ebb_ops cannot be built"; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$2/ebb_ops" > "$work/table" && "$2/ebb_ops" --names > "$work/names" || exit 1

# A bar that is no border has a backslash before it.
sed 's/\\|/!/g' "$work/table" | awk -F ' *[|] *' -v names="$work/names" '
  !/^[|]/ || ++lines <= 2 { next }
  {
    ++rows
    kinks[$2] = $5
    if (NF != 8) { print $2 ": " NF - 2 " cells"; failed = 1 }
    if ($3 !~ /^`.+`$/) { print $2 ": no call"; failed = 1 }
    if ($4 == "") { print $2 ": no meaning"; failed = 1 }
    if ($6 == "") { print $2 ": nothing on its derivatives"; failed = 1 }
    derivatives[$2] = $6
  }
  END {
    while ((getline line < names) > 0) {
      ++count
      split(line, word, " ")
      name = word[1]
      if (!(name in kinks)) { print name ": no row"; failed = 1 }
      else if (derivatives[name] ~ /^not/) { print name ": not differentiable"; failed = 1 }
      if (word[2] == "kinks" && kinks[name] == "") { print name ": no slope at kinks"; failed = 1 }
    }
    if (count < 100 || rows < count) { print rows " rows for " count " operations"; failed = 1 }
    exit failed
  }' || exit 1

docs=$(dirname -- "$0")/../docs/operations.md
if ! diff -u "$docs" "$work/table"; then
  echo "docs/operations.md is not what tools/ops prints: tools/ops > docs/operations.md"
  exit 1
fi
