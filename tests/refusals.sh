#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A mistake in a user's program is refused by one error that says what to do, with little after it.
#   refusals.sh COMPILER    and clang++, if there is one

root=$(cd "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
most_lines=15  # of the compiler after the error
flags=(-std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow "-I$root/include")
errors=0
fail() {
  echo "$1"
  errors=$((errors + 1))
}

# compile NAME: what the compiler says to a program after the headers, without the backslashes that
# clang puts before quotes.
headers=$work/all.hpp
compile() {
  "$compiler" "${flags[@]}" -fsyntax-only -include "$headers" "$work/$1.cpp" 2>&1 | sed 's/\\"/"/g'
}

# accepts NAME: the program on the standard input compiles without a word.
accepts() {
  local output
  cat > "$work/$1.cpp"
  output=$(compile "$1")
  [[ -z $output ]] || fail "$compiler: $1 should compile:"$'\n'"$output"
}

# refuses NAME TEXT: the program on the standard input has one error, which has this text.
refuses() {
  local output after
  cat > "$work/$1.cpp"
  output=$(compile "$1")
  after=$(sed '1,/error: /d' <<< "$output" | wc -l)
  if [[ $(grep 'error: ' <<< "$output") != *"$2"* ]]; then
    fail "$compiler: $1 should be refused with \"$2\", not:"$'\n'"$output"
  elif (($(grep -c 'error: ' <<< "$output") != 1)); then
    fail "$compiler: $1 has more than one error:"$'\n'"$output"
  elif ((after > most_lines)); then
    fail "$compiler: $1 has $after lines after its error:"$'\n'"$output"
  fi
}

# rule STATES ARGUMENTS [MEMBER]: a rule that declares states of these names, and whose formula
# takes these arguments for them.
rule() {
  cat << END
struct Mine {
  double learning_rate = 0.1;
  static constexpr std::string_view states[] = {$1};
  struct Step { double rate; };
  Step prepare(std::int64_t) const { return {learning_rate}; }
  ${3:-}
  template <class V>
  static void update(const Step& step, V& w, const V& g, $2) { w = w - V(step.rate) * g; }
};
void train(ebb::nn::Linear<float>& model) {
  ebb::optim::Optimizer optimizer(model, Mine{});
  optimizer.step();
}
END
}

# one_part TYPE [VISITOR]: a struct whose one part or field has this type.
one_part() {
  echo "struct Model { $1 member; void each(ebb::${2:-Parts}& part) { part(\"member\", member); } };"
}

check_compiler() {
  # Compiled once, as it takes longer than all programs.
  "$compiler" "${flags[@]}" -x c++-header "$work/all.hpp" -o "$work/all.hpp.gch" || exit 1

  accepts right << 'END'
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
    ((velocity = g), ...);
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

  # shellcheck disable=SC2016
  local says_nothing='this type does not say what it consists of; add `void each(ebb::Parts& part)'
  local model='struct Model { ebb::Variable<float> weight; };'
  refuses optimizer_without_each "$says_nothing" << END
$model
void train(Model& model) { ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{}); }
END
  refuses parameters_without_each "$says_nothing" << END
$model
auto all(Model& model) { return ebb::parameters(model); }
END
  refuses parameters_of_a_type_without_each "$says_nothing" << END
$model
auto all(const Model& model) { return ebb::parameters<float>(model); }
END
  refuses count_without_each "$says_nothing" << END
$model
auto size(Model& model) { return ebb::count(model); }
END
  refuses functional_call_without_each "$says_nothing" << END
$model
int call(Model& model, const std::vector<ebb::Tensor<float>>& values) {
  return ebb::functional_call(model, values, [] { return 1; });
}
END

  # g++ took the braces for axes. Now it lists the candidates.
  most_lines=18 refuses option_as_axis 'no matching function for call to' << END
auto f(const ebb::Tensor<double>& x) { return sum(x, {.keepdim = true}); }
END

  local is_no_part='a part is a Variable, an Array, a Stream, a Mode, a double, std::int64_t'
  refuses part_int "$is_no_part" < <(one_part int)
  refuses part_bits "$is_no_part" < <(one_part 'std::vector<bool>')
  refuses part_map "$is_no_part" < <(one_part 'std::map<std::string, ebb::Variable<float>>')
  refuses part_without_each "$is_no_part" << END
$model
struct Outer { Model model; void each(ebb::Parts& part) { part("model", model); } };
END

  local is_no_field='a field is a bool, std::int64_t, std::uint64_t, double, std::string'
  refuses field_int "$is_no_field" < <(one_part int Fields)
  refuses field_of_a_transform "$is_no_field" < <(one_part float data::Fields)

  local states='the formula of this rule does not take the states that it declares'
  refuses rule_takes_too_few "$states" < <(rule '"a", "b", "c"' 'V&, V&')
  refuses rule_takes_too_many "$states" < <(rule '"a", "b"' 'V&, V&, V&')
  refuses rule_takes_all_but_not_fewer "$states" < <(
    rule '"a", "b"' 'V&, V&' 'int used_states() const { return 1; }')
  local headers=$work/listed.hpp
  refuses rule_without_its_header 'a rule of your own needs #include <ebb/optim/update.hpp>' < <(
    rule '"a"' 'V&')
}

cat > "$work/all.hpp" << 'END'
#include <ebb/autodiff/functional_call.hpp>
#include <ebb/data/transforms/fields.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/optim/update.hpp>
#include <map>
END
cat > "$work/listed.hpp" << 'END'
#include <ebb/nn/linear.hpp>
#include <ebb/optim/optimizer.hpp>
END
compilers=("${1:-c++}")
[[ $("${compilers[0]}" --version) == *clang* ]] || ! command -v clang++ > /dev/null ||
  compilers+=(clang++)
for compiler in "${compilers[@]}"; do
  check_compiler
  output=$("$compiler" -std=c++17 "-I$root/include" -include ebb/ebb.hpp -x c++ -fsyntax-only - <<< '' 2>&1)
  [[ $output == *'#error "ebb needs C++20: compile with -std=c++20"'* && $(wc -l <<< "$output") -lt 10 ]] ||
    fail "$compiler: C++17 should be refused with what to do, not: $(head -n 20 <<< "$output")"
done
((errors == 0)) || { echo "$errors errors"; exit 1; }
