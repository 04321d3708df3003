// SPDX-License-Identifier: BSD-3-Clause
// Features before a model sees them. Scaling: why gradient descent needs it. Leakage: how a score
// becomes better than the model is, and how to prevent it.
#include <algorithm>

#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"

using namespace ebb;
using Table = data::Table<double>;

namespace {

/// The speed of gradient descent on scaled features.
struct Descent {
  double condition = 0;  ///< the largest eigenvalue of the Hessian divided by the smallest
  int steps = 0;         ///< until the loss is within a thousandth of the best
};

/// Full-batch gradient descent on the mean squared error, with the best step for the
/// Hessian: 2 / (largest + smallest eigenvalue). Each step shrinks the slowest error by 1 - 2 /
/// condition.
Descent descend(const Table& table, const std::string& target, int most_steps) {
  const auto known = table.split_target(target);
  const Array<double> x = example::with_ones(known.x), y = known.y;
  const auto hessian = matmul(transpose(x), x) * (2.0 / double(x.shape()[0]));
  const Array<double> eigenvalues = eigh(hessian).values.array();  // ascending
  const double smallest = eigenvalues[0], largest = eigenvalues[eigenvalues.size() - 1];
  const double best = mse_loss(matmul(x, lstsq(x, y)), y).item();

  const auto loss = [&](const auto& w) { return mse_loss(matmul(x, w), y); };
  const double rate = 2 / (largest + smallest);
  Array<double> w = Array<double>::zeros({x.shape()[1], 1});
  Descent result{.condition = largest / smallest};
  for (; result.steps < most_steps; ++result.steps) {
    const auto [value, slope] = value_and_gradient(loss, w);
    if (value.item() <= 1.001 * best) break;
    w = (w - rate * slope).array();
  }
  return result;
}

/// Raw features, and three ways to bring them to one scale.
void show_scaling(const Table& table, int most_steps) {
  struct Scale {
    const char* name;
    data::Pipeline pipeline;
  };
  const std::vector<std::string> features = table.drop({"progression"}).names();
  std::vector<Scale> scales{{"raw", {}},
                            {"min-max", {data::MinMax({.columns = features})}},
                            {"robust", {data::Robust({.columns = features})}},
                            {"standardized", {data::Standardize({.columns = features})}}};
  std::printf("%-14s %14s %20s\n", "features", "condition", "steps");
  const std::string too_many = "more than " + std::to_string(most_steps);
  for (auto& [name, pipeline] : scales) {
    const auto [condition, steps] =
        descend(pipeline.fit_transform(table), "progression", most_steps);
    std::printf("%-14s %14.4g %20s\n", name, condition,
                (steps < most_steps ? std::to_string(steps) : too_many).c_str());
  }
}

/// The part of the variance that least squares explains, on the rows that it learned from and on
/// those that it did not.
struct Scores {
  double train = 0, test = 0;
};

Scores scores(const Table& train, const Table& test) {
  const auto score = [](const Array<double>& x, const Array<double>& y, const Array<double>& w) {
    const double variance = mean(square(y - mean(y))).item();
    return 1 - mse_loss(matmul(x, w), y).item() / variance;
  };
  const auto known = train.split_target("progression"), held_out = test.split_target("progression");
  const auto x = example::with_ones(known.x);
  const auto w = lstsq(x, known.y).array();
  return {score(x, known.y, w), score(example::with_ones(held_out.x), held_out.y, w)};
}

/// The patients, each in a clinic chosen at random: nothing can be learned from it.
Table with_clinics(const Table& table, std::uint64_t seed) {
  constexpr std::uint64_t clinics = 150;
  Stream stream(seed);
  auto columns = table.columns();
  columns.push_back({"clinic", data::Kind::categorical});
  for (std::uint64_t i = 0; i < clinics; ++i) {
    columns.back().levels.push_back("clinic " + std::to_string(i));
  }
  auto numbers = Array<double>::uninitialized({table.rows(), 1});
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    numbers.mutate()[i] = double(stream.below(clinics));
  }
  return {std::move(columns), concat({table.values(), numbers}, 1).array(), "clinics"};
}

/// The mean target of each clinic as a feature, made in three ways: two leak.
void show_leaks(const Table& patients, std::uint64_t seed) {
  const auto table = with_clinics(patients, seed);
  const auto rows = data::split_rows(table.rows(), {.test = 0.5, .seed = seed});
  const auto parts = data::split(table, rows);
  const Table &train = parts.train, &test = parts.test;
  const auto encoder = [] { return data::TargetEncode({.target = "progression", .smoothing = 0}); };
  const Scores without = scores(train.drop({"clinic"}), test.drop({"clinic"}));

  // Each training row has the mean of other rows of its clinic.
  auto honest = encoder();
  const auto seen = honest.fit_transform(train);
  const Scores out_of_fold = scores(seen, honest.transform(test));

  // Each training row has a mean that its own target is part of. So the model trusts the clinics,
  // and is wrong on other rows. `with_role` makes rows forget where they come from; otherwise
  // `transform` would refuse those of the fit.
  auto own = encoder();
  own.fit(train.with_role(data::Role::unspecified));
  const Scores own_target = scores(own.transform(train), own.transform(test));

  // The held-out rows are part of the means, too: so they confirm the mistake. The table must
  // forget where its rows come from; otherwise `split` would refuse rows that a fit has changed.
  auto all = encoder();
  all.fit(table);
  const auto encoded = all.transform(table.with_role(data::Role::unspecified));
  const Scores before_split = scores(encoded.rows(rows.train), encoded.rows(rows.test));

  std::printf("\n%-34s %8s %8s\n", "clinics chosen at random", "train R2", "test R2");
  const auto print = [](const char* name, const Scores& score) {
    std::printf("%-34s %8.3f %8.3f\n", name, score.train, score.test);
  };
  print("without them", without);
  print("encoded out of fold", out_of_fold);
  print("with each row's own target", own_target);
  print("on all rows, before the split", before_split);

  std::printf("\nwhat is refused:\n");
  const auto show = [](const auto& leak) {
    try {
      leak();
    } catch (const ArgumentError& error) {
      std::printf("  %s\n", error.what());
    }
  };
  show([&] { data::Standardize().fit(test); });
  show([&] { honest.transform(train); });
  show([&] { all.transform(test); });
  show([&] { data::split(encoder().fit_transform(table), rows); });

  std::printf("\nr2_without %.6g\nr2_out_of_fold %.6g\nr2_own_target %.6g\nr2_before_split %.6g\n",
              without.test, out_of_fold.test, own_target.test, before_split.test);
}

void prepare(const example::Options& options) {
  const auto table = data::read_csv<double>(options.data + "/diabetes.csv");
  show_scaling(table, options.epochs);
  show_leaks(table, options.seed);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "Scaling and leakage of features, on the diabetes data", 200000,
                      prepare);
}
