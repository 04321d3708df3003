#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Units compiled with different flags share no inline function of ebb: the linker keeps one copy of
# such a function, which the other unit's machine may not be able to run.
#   units.sh COMPILER

root=$(cd "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
compiler=${1:-c++}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# unit NAME: a program's unit that uses every part of the interface that units share.
unit() {
  cat << END
#include <ebb/autodiff/fuse.hpp>
#include <ebb/ebb.hpp>
using namespace ebb;
void train_$1(nn::Linear<float>& model, const Array<float>& x, const Array<float>& y) {
  optim::Optimizer sgd(model, optim::SGD{.momentum = 0.9});
  optim::Optimizer adam(model, optim::Adam{.learning_rate = 0.1});
  data::Loader loader(data::TensorDataset(x, y), {.batch_size = 8});
  if (loader.size() == 0) return;
  for (const auto& batch : loader) {
    Tape tape;
    backward(mse_loss(model(batch.x), batch.y));
    sgd.step();
    adam.step();
    adam.rule().learning_rate *= 0.5;
    adam.zero_grad();
  }
}
data::Table<float> prepare_$1(const data::Table<float>& table) {
  data::Pipeline pipeline{data::Impute(), data::Standardize({.columns = {"a"}})};
  pipeline.add(data::OneHot()).fit(table);
  if (pipeline.at<data::Standardize>(1).scale().empty()) {
    const auto both = data::concat({table, table.rename("a", "b").with("a", table.column("b"))});
    return both.filter(both.column("a") > 1.0).filter([](auto row) { return row > 1; }).sort("a");
  }
  return data::split(pipeline.transform(table), data::Fold{{0}, {1}}).train;
}
std::int64_t gather_$1(const std::string& path, const data::Rows& rows) {
  const data::FileDataset file(data::map_npy<float>(path), data::window_npy<float>(path));
  const data::CsvDataset<float> text(path, "y");
  const data::TransformedDataset sizes(
      data::Subset(file, rows), [](const data::Batch<float>& batch) { return batch.y.size(); });
  sizes.prefetch(rows);
  file.prefetch(rows);
  return sizes.rows(rows) + sizes.size() + text.size() + file.size();
}
double judge_$1(const data::Table<float>& table, const Array<float>& x, const Array<float>& y) {
  nn::TableModel model{nn::LogisticRegression({.l2 = 0.1})};
  model.fit(table, "y");
  nn::save_model("model.safetensors", model, table);
  const auto again = nn::load_model<nn::LogisticRegression>("model.safetensors");
  const nn::Predictor predictor("model.safetensors");
  if (again.target() != predictor.model().target) return predictor.predict(table)[0];
  nn::Ridge ridge;
  ridge.fit(x, y);
  return model.score(table) + model.metric("auc", table) + double(model.predict(table).size()) +
         model.predict_proba(table)[0] + double(model.features().size()) + ridge.predict(x)[0];
}
double $1(const Array<float>& x, Variable<float>& w, const Array<float>& y) {
  Tape tape;
  const auto z = fuse([](auto a, auto b) { return square(tanh(a * b)) + a * 0.5f; }, x, w);
  const auto [p, q] = fuse([](auto row, auto b) { return std::tuple(row[0] * b, row[1]); },
                           rows<2>(reshape(x, {-1, 2})), 2);
  const auto kept = where(x != 1.0, where(x == 2.0, z, 0.0), where(w < 0.5, 1.0, w));
  const auto loss = mean(2.0 * kept + maximum(x / w, 1.0) - y) + mse_loss(z, y);
  const double value = loss.item() + sum(p * q).item() + z.shape().rank();
  backward(loss);
  return value + w.gradient()[0];
}
END
}

# The inline functions in an object file, but for those of the standard library, and the destructors
# and constructors that structs of arrays have by themselves.
inline_functions() {
  nm --defined-only "$1" | awk '$2 ~ /[WVu]/ { print $3 }' | c++filt |
    grep -vE '^[^(]*\b(std|__gnu_cxx)::|^decltype ' |
    grep -vE '\b([A-Z][A-Za-z]+)(<[^()]*>)?::~?\1\(.*\)$' | grep 'ebb::' | sort -u
}

status=0
for level in -O0 -O2; do
  for name in plain wide; do
    flags=()
    [[ $name == wide ]] && flags=(-march=x86-64-v4)
    unit "$name" > "$work/$name.cpp"
    "$compiler" -std=c++20 $level "${flags[@]}" -I"$root/include" -c "$work/$name.cpp" \
      -o "$work/$name.o" || exit 1
    inline_functions "$work/$name.o" > "$work/$name.txt"
    # Unoptimised, fuse makes many, named after the unit's instruction set.
    [[ $level != -O0 || -s $work/$name.txt ]] ||
      { echo "$level: no inline function found in unit '$name'"; status=1; }
  done
  shared=$(comm -12 "$work/plain.txt" "$work/wide.txt")
  if [[ $shared ]]; then
    echo "$level: shared by units with different flags:"
    echo "$shared"
    status=1
  fi
done
exit $status
