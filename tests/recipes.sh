#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The recipes of docs/contributing.md work as they stand there. Their programs are built against the
# library and print what they must. What a recipe adds to the library is added to a copy of the
# sources: the changed units are compiled, and a program of these and of the library uses the
# addition.
#   recipes.sh COMPILER LIBRARY OPENBLAS [programs|elementwise|structured|rule|format|transform...]

cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
compiler=$1 openblas=$3
library=$(realpath -- "$2") || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
flags=(-std=c++20 -O0 -pthread)
others=("$openblas" -lzip -lz)  # libraries that the library needs
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
  local program=$work/$1 text
  if ! cp "$program.1" "$program.cpp"; then
    fail "no program for: $1"
  elif ! "$compiler" "${flags[@]}" -Iinclude "$program.cpp" "$library" "${others[@]}" -o "$program"; then
    fail "the program for a $1 does not compile"
  else
    text=$(cd "$work" && "$program")
    [[ $text == "$2" ]] || fail "the program for a $1 prints $text"
  fi
}

# copy NAME: a copy of the sources, to which a recipe adds; `tree` is its path.
copy() {
  tree=$work/$1.tree
  mkdir -p "$tree/include" "$tree/tests"
  cp -r autodiff data nn optim ebb.hpp "$tree"
  cp tests/*.hpp tests/*.cpp "$tree/tests"
  ln -s .. "$tree/include/ebb"
}

# put FILE PATTERN BLOCK: the block stands before the first line of the file with the pattern.
put() {
  awk -v pattern="$2" -v block="$work/$3" '
    !done && index($0, pattern) {
      while ((getline line < block) > 0) print line
      print ""
      done = 1
    }
    { print }
    END { exit !done }' "$tree/$1" > "$tree/new" && mv "$tree/new" "$tree/$1" ||
    fail "$1 has no place for $3"
}

# change FILE FROM TO: the text FROM, which the file has once, becomes TO.
change() {
  [[ $(grep -cF -- "$2" "$tree/$1") == 1 ]] || fail "$1 does not have once: $2"
  awk -v from="$2" -v to="$3" '
    { at = index($0, from) }
    at { $0 = substr($0, 1, at - 1) to substr($0, at + length(from)) }
    { print }' "$tree/$1" > "$tree/new" && mv "$tree/new" "$tree/$1"
}

# compiles NAME FLAGS... FILE: in the copy of the sources.
compiles() {
  "$compiler" "${flags[@]}" -I"$tree/include" "${@:2}" || fail "$1 does not compile"
}

# works NAME TEXT UNIT...: the program on the standard input, built from these changed units and the
# library, prints this.
works() {
  local text
  cat > "$tree/program.cpp"
  compiles "the program with $1" "$tree/program.cpp" "${@:3}" "$library" "${others[@]}" \
    -o "$tree/program" && text=$(cd "$tree" && ./program) && [[ $text == "$2" ]] ||
    fail "the program with $1 prints $text"
}

check_elementwise() {
  copy elementwise
  put autodiff/formula/sigmoidal.hpp '}  // namespace ebb::inline v0::op' elementwise.1
  change autodiff/formula/families.hpp 'X(relu, Relu)' "X(relu, Relu) $(< "$work/elementwise.2")"
  put autodiff/ops.hpp '/// max(x, 0), slope 0 at 0' elementwise.3

  # Its value and slope on plain numbers and duals, without the library.
  cat > "$tree/numbers.cpp" << 'END'
#include <cmath>

#include <ebb/autodiff/formula/activations.hpp>
#include <ebb/autodiff/formula/elementwise.hpp>
using namespace ebb;
static_assert(op::index_in<op::Sech>(op::Unary{}) < op::Unary::size);
static_assert(op::unary_reads<op::Sech> == 3);
int main() {
  Dual<double, 1, 1> x(-3.0);
  x.d[0] = 1;
  const auto y = sech(x);
  const double value = 1 / std::cosh(-3.0), slope = -value * std::tanh(-3.0);
  return sech(-3.0) == value && y.v == value && y.d[0] == slope ? 0 : 1;
}
END
  compiles "the elementwise operation" "$tree/numbers.cpp" -o "$tree/numbers" &&
    "$tree/numbers" || fail "the elementwise operation gives something else on numbers"

  # Each unit that is made from the list of operations, of which the kernels for one instruction
  # set: all would take minutes.
  cat > "$tree/tensors.cpp" << 'END'
#include <ebb/autodiff/ops.hpp>
using namespace ebb;
Tensor<float> f(const Variable<float>& w) { return sech(w); }
Tensor<double> f(const Array<double>& x) { return sech(x); }
END
  local unit
  for unit in tensors autodiff/ops/elementwise autodiff/registry; do
    compiles "$unit.cpp with the elementwise operation" -fsyntax-only "$tree/$unit.cpp"
  done
  compiles "the kernel of the elementwise operation" -fsyntax-only -DEBB_KERNEL_ISA=sse2 \
    -DEBB_KERNEL_TYPE=float "$tree/autodiff/kernels/isa.cpp"
}

check_structured() {
  copy structured
  put autodiff/ops/scans.hpp '/// All scans.' structured.1
  change autodiff/ops/scans.hpp 'using Scans = List<' 'using Scans = List<Diff, '
  put autodiff/ops/scans.cpp '}  // namespace ebb::inline v0' structured.2
  put autodiff/ops.hpp '/// Running sum along an axis' structured.3
  compiles "the structured operation" -c "$tree/autodiff/ops/scans.cpp" -o "$tree/scans.o"
  compiles "the registry with the structured operation" -c "$tree/autodiff/registry.cpp" \
    -o "$tree/registry.o"
  works "the structured operation" 'refused, right at 5 points' \
    "$tree"/{scans,registry}.o << 'END'
#include <iostream>

#include <ebb/autodiff/gradcheck.hpp>
#include <ebb/autodiff/registry.hpp>
#include <ebb/autodiff/values/error.hpp>
#include <ebb/ebb.hpp>
using namespace ebb;
int main() {
  for (const auto& entry : registry()) {
    if (entry.name != "diff") continue;
    try {
      entry.rejections.at(0).call();
    } catch (const ShapeError& error) {
      if (std::string(error.what()).starts_with(entry.rejections[0].message)) {
        std::cout << "refused, ";
      }
    }
    const auto& sample = entry.samples.at(0);
    const auto report = check_gradients(sample.in_double, sample.inputs);
    std::cout << (report.passed ? "right" : "wrong") << " at " << sample.inputs[0].size()
              << " points\n";
  }
}
END
}

check_format() {
  copy format
  local formats=$tree/data/formats
  cp "$work/file.1" "$formats/fvecs.hpp"
  cp "$work/file.2" "$formats/fvecs.cpp"
  cp "$work/file.3" "$tree/tests/fvecs_test.cpp"
  cp "$work/file.4" "$tree/tests/fvecs_fuzz.cpp"
  mkdir "$tree/tests/fuzz"
  cp tests/fuzz/fuzz.hpp "$tree/tests/fuzz"
  change ebb.hpp '#include "ebb/data/formats/csv.hpp"' \
    $'#include "ebb/data/formats/csv.hpp"\n#include "ebb/data/formats/fvecs.hpp"'
  compiles "the file format" -DEBB_SOURCE_DIR=\"\" -include ebb/ebb.hpp "$formats/fvecs.cpp" \
    "$tree"/tests/{fvecs_test,main}.cpp "$library" "${others[@]}" -o "$tree/test" &&
    "$tree/test" -m || fail "the test of the file format fails"
  compiles "the fuzzer of the file format" -fsyntax-only "$tree/tests/fvecs_fuzz.cpp"
}

# struct FOLDER NAMESPACE NAME TYPE INCLUDE...: the struct in the program of a section goes to the
# header TYPE of a folder of the library.
struct() {
  local include
  {
    echo '#pragma once'
    for include in "${@:5}"; do echo "#include $include"; done
    echo "namespace ebb::inline v0::$2 {"
    sed -n '/^\/\/\/ /,/^};/p' "$work/$3.1"
    echo '}'
  } > "$tree/$1/$4.hpp"
}

# main NAME TYPE: the rest of the program of a section, with the struct of the library.
main() {
  echo '#include <ebb/ebb.hpp>'
  echo '#include <iostream>'
  echo "using $2;"
  sed -n '/^int main/,$p' "$work/$1.1"
}

stepped='[1.5, -0.5]'  # what the programs with the rule print

check_rule() {
  copy rule
  struct optim/rules optim rule sign_of_mean '<array>' '<cstdint>' '<string_view>' \
    '"ebb/autodiff/values/platform.hpp"'
  change optim/rules/rules.hpp '#include "ebb/optim/rules/sgd.hpp"' \
    $'#include "ebb/optim/rules/sgd.hpp"\n#include "ebb/optim/rules/sign_of_mean.hpp"'
  change optim/rules/rules.hpp 'X(SGD)' 'X(SGD) X(SignOfMean)'
  compiles "the list of rules" -c "$tree/optim/instances.cpp" -o "$tree/instances.o"
  works "the rule of the library" "$stepped" "$tree/instances.o" < <(
    main rule ebb::optim::SignOfMean)
}

centered=$'[[-20, -10],\n [20, 10]]'  # what the programs with the transform print

check_transform() {
  copy transform
  struct data/transforms data transform center '"ebb/autodiff/ops.hpp"' \
    '"ebb/data/transforms/column_transform.hpp"'
  change data/transforms/pipeline_file.cpp '#include "ebb/data/transforms/encoding.hpp"' \
    $'#include "ebb/data/transforms/encoding.hpp"\n#include "ebb/data/transforms/center.hpp"'
  change data/transforms/pipeline_file.cpp 'Impute()}' 'Impute(), Center()}'
  compiles "pipeline_file.cpp with the transform" -c "$tree/data/transforms/pipeline_file.cpp" \
    -o "$tree/pipeline_file.o"
  change ebb.hpp '#include "ebb/data/transforms/encoding.hpp"' \
    $'#include "ebb/data/transforms/center.hpp"\n#include "ebb/data/transforms/encoding.hpp"'
  works "the transform of the library" "$centered" "$tree/pipeline_file.o" < <(
    main transform ebb::data::Center | sed 's/, {Center()}//')
}

check_programs() {
  runs rule "$stepped"
  runs layer '[0.9, 0.8]'
  runs data $'5\n50'
  runs transform "$centered"
}

checks=("${@:4}")
((${#checks[@]})) || checks=(programs elementwise structured rule format transform)
running=()
for check in "${checks[@]}"; do
  (
    "check_$check"
    exit $failed
  ) &
  running+=($!)
done
for process in "${running[@]}"; do wait "$process" || failed=1; done
exit $failed
