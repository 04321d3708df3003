#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A mistake in a user's program is met by words that say what to do. Each program of tests/mistakes
# says in its second line which: "Refused: TEXT" by one error of the compiler, with little after it;
# "Refused after a line: TEXT" if the text is that of the line which the error shows; "Stops: TEXT"
# when it runs. Headers compile without a warning, whatever a program has defined before.
#   mistakes.sh COMPILER LIBRARY OPENBLAS    and clang++, if there is one

root=$(cd "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
library=$2 openblas=$3
most_lines=15  # of the compiler after the error
flags=(-std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow "-I$root/include")
errors=0
fail() {
  echo "$1"
  errors=$((errors + 1))
}

# Each source of tests/mistakes is compiled after ebb.hpp, which is compiled once.
compile() {
  "$compiler" "${flags[@]}" -include "$work/ebb.hpp" "$@" 2>&1 | sed 's/\\"/"/g'
}

# refuses SOURCE TEXT: the program has one error, which has this text.
refuses() {
  local output after
  output=$(compile -fsyntax-only "$1")
  after=$(sed '1,/error: /d' <<< "$output" | wc -l)
  if [[ $(grep "${3:-error: }" <<< "$output") != *"$2"* ]]; then
    fail "$compiler: $1 should be refused with \"$2\", not:"$'\n'"$output"
  elif (($(grep -c 'error: ' <<< "$output") != 1)); then
    fail "$compiler: $1 has more than one error:"$'\n'"$output"
  elif ((after > most_lines)); then
    fail "$compiler: $1 has $after lines after its error:"$'\n'"$output"
  fi
}

# stops SOURCE TEXT: the program compiles without a word, and ends with this message.
stops() {
  local output
  output=$(compile "$1" "$library" "$openblas" -lz -o "$work/program")
  [[ -z $output ]] || fail "$compiler: $1 should compile:"$'\n'"$output"
  output=$(cd "$work" && { ./program; } 2>&1) && fail "$1 should stop"
  [[ $output == *"$2"* ]] || fail "$1 should stop with \"$2\", not: $output"
}

# Programs that run are built with one compiler: what they say is the library's.
check_mistakes() {
  local source outcome count=0
  for source in "$root"/tests/mistakes/*.cpp; do
    outcome=$(sed -n '2s|^// ||p' "$source")
    case $outcome in
      'Refused: '*) refuses "$source" "${outcome#*: }" ;;
      'Refused after a line: '*) refuses "$source" "${outcome#*: }" '//' ;;
      'Stops: '*) [[ $compiler != "$1" ]] || stops "$source" "${outcome#*: }" ;;
      *) fail "$source: the second line does not say what happens" ;;
    esac
    count=$((count + 1))
  done
  ((count >= 40)) || fail "$count mistakes; there were 40"
}

# What is right compiles without a word.
check_right() {
  local output
  output=$(compile -fsyntax-only -x c++ - << 'END'
#include <ebb/optim/update.hpp>
struct Affine {
  ebb::Variable<float> weight{ebb::Array<float>::zeros({2, 2})};
  void each(ebb::Parts& part) { part("weight", weight); }
};
struct Model {
  Affine first;
  std::vector<Affine> rest = std::vector<Affine>(2);
  std::array<ebb::Variable<double>, 1> scales = {ebb::Variable<double>(ebb::Array<double>::of({1}))};
  ebb::Array<bool> mask = ebb::Array<bool>::of({true});
  ebb::Mode mode = ebb::Mode::training;
  double rate = 0.5;
  std::vector<double> limits;
  void each(ebb::Parts& part) {
    part("first", first);
    part("rest", rest);
    part("scales", scales);
    part("mask", mask);
    part("mode", mode);
    part("rate", rate);
    part("limits", limits);
  }
};
struct Heavy {
  double learning_rate = 0.1, momentum = 0;
  static constexpr std::string_view states[] = {"velocity"};
  int used_states() const { return momentum != 0 ? 1 : 0; }
  struct Step { double rate; };
  Step prepare(std::int64_t) const { return {learning_rate}; }
  template <class V>
  static void update(const Step& step, V& w, const V& g, auto&... velocity) {
    ((velocity = maximum(abs(g), minimum(velocity, V(1)))), ...);
    w = w - V(step.rate) * g;
  }
};
std::int64_t train(Model& model, const Model& constant, std::vector<ebb::Tensor<float>> values) {
  ebb::optim::Optimizer optimizer(model, Heavy{.momentum = 0.9});
  optimizer.step();
  ebb::functional_call(model, values, [] { return 1; });
  return ebb::count(model) + ebb::count(constant);
}
END
  )
  [[ -z $output ]] || fail "$compiler: this should compile:"$'\n'"$output"
}

# A program may have macros of these names, and more warnings than the library itself.
check_headers() {
  local output
  output=$("$compiler" "${flags[@]}" -Wold-style-cast -fsyntax-only -x c++ - 2>&1 << 'END'
#define slots
#define signals
#define emit
#define foreach
#define check
#define require
#define verify
#define N
#include <ebb/ebb.hpp>
#include <ebb/autodiff/custom.hpp>
#include <ebb/autodiff/fuse.hpp>
#include <ebb/autodiff/gradcheck.hpp>
#include <ebb/optim/update.hpp>
END
  )
  [[ -z $output ]] || fail "$compiler: a header has a name that programs define, or warns:"$'\n'"$output"
  output=$("$compiler" -std=c++17 "-I$root/include" -include ebb/ebb.hpp -x c++ -fsyntax-only - <<< '' 2>&1)
  [[ $output == *'#error "ebb needs C++20: compile with -std=c++20"'* && $(wc -l <<< "$output") -lt 10 ]] ||
    fail "$compiler: C++17 should be refused with what to do, not: $(head -n 20 <<< "$output")"
}

echo '#include <ebb/ebb.hpp>' > "$work/ebb.hpp"
compilers=("$1")
[[ $("${compilers[0]}" --version) == *clang* ]] || ! command -v clang++ > /dev/null ||
  compilers+=(clang++)
for compiler in "${compilers[@]}"; do
  "$compiler" "${flags[@]}" -x c++-header "$work/ebb.hpp" -o "$work/ebb.hpp.gch" || exit 1
  check_right
  check_headers
  check_mistakes "$1"
done
((errors == 0)) || { echo "$errors errors"; exit 1; }
