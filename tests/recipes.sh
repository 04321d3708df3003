#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The recipes of docs/contributing.md work as they stand there. The programs for a rule, a layer and
# a data set are built against the library and print what they must. The elementwise operation is
# added to a copy of the headers: its value and slope run on plain numbers and duals, it is in the
# list from which kernels and registry are made, and every unit made from that list compiles.
#   recipes.sh COMPILER LIBRARY OPENBLAS

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
compiler=$1 library=$2 openblas=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "$1"
  failed=1
}

# Block N below a heading that begins with "An elementwise" goes to elementwise.N, and so on.
awk -v dir="$work" '
  /^## / { name = $3; n = 0; sub(/:$/, "", name) }
  /^```cpp$/ { file = dir "/" name "." ++n; next }
  /^```/ { file = ""; next }
  file { print > file }' docs/contributing.md

# runs NAME TEXT: the program of a section prints this.
runs() {
  local program=$work/$1.1 text
  if ! mv "$program" "$program.cpp"; then
    fail "no program for: $1"
  elif ! "$compiler" -std=c++20 -O0 -Iinclude "$program.cpp" "$library" "$openblas" -o "$program"; then
    fail "the program for a $1 does not compile"
  else
    text=$("$program")
    [[ $text == "$2" ]] || fail "the program for a $1 prints $text"
  fi
}
runs rule '[1.5, -0.5]'
runs layer '[0.9, 0.8]'
runs data $'5\n50'

# A copy of the tree with the three places of the recipe.
tree=$work/tree
mkdir -p "$tree/include"
cp -r autodiff "$tree"
ln -s .. "$tree/include/ebb"
# put FILE PATTERN BLOCK: the block stands before the first line that has the pattern.
put() {
  local file=$tree/autodiff/$1
  awk -v pattern="$2" -v block="$work/elementwise.$3" '
    !done && index($0, pattern) {
      while ((getline line < block) > 0) print line
      done = 1
    }
    { print }
    END { exit !done }' "$file" > "$work/new" && mv "$work/new" "$file" ||
    fail "$1 has no place for the operation"
}
put formula/sigmoidal.hpp '}  // namespace ebb::inline v0::op' 1
entry=$(< "$work/elementwise.2")
sed -i "s/X(relu, Relu)/& $entry/" "$tree/autodiff/formula/families.hpp"
put ops.hpp '/// max(x, 0), slope 0 at 0' 3

cat > "$work/numbers.cpp" << 'END'
#include <cmath>

#include <ebb/autodiff/formula/activations.hpp>
#include <ebb/autodiff/formula/elementwise.hpp>
using namespace ebb;
static_assert(op::index_in<op::Softsign>(op::Unary{}) < op::Unary::size);
static_assert(op::unary_reads<op::Softsign> == 1);
int main() {
  Dual<double, 1, 1> x(-3.0);
  x.d[0] = 1;
  const auto y = softsign(x);
  return softsign(-3.0) == -0.75 && y.v == -0.75 && y.d[0] == 0.0625 ? 0 : 1;
}
END
"$compiler" -std=c++20 -O0 -I"$tree/include" "$work/numbers.cpp" -o "$work/numbers" &&
  "$work/numbers" || fail "the elementwise operation gives something else on numbers"

# Tensors, the kernels of each instruction set, and the registry.
cat > "$work/tensors.cpp" << 'END'
#include <ebb/autodiff/ops.hpp>
using namespace ebb;
Tensor<float> f(const Variable<float>& w) { return softsign(w); }
Tensor<double> f(const Array<double>& x) { return softsign(x); }
END
for unit in "$work/tensors.cpp" "$tree"/autodiff/{ops/elementwise,registry}.cpp; do
  "$compiler" -std=c++20 -fsyntax-only -I"$tree/include" "$unit" ||
    fail "$(basename -- "$unit") does not compile with the operation"
done
"$compiler" -std=c++20 -fsyntax-only -I"$tree/include" -DEBB_KERNEL_ISA=sse2 \
  -DEBB_KERNEL_TYPE=float "$tree/autodiff/kernels/isa.cpp" || fail "its kernels do not compile"

exit $failed
