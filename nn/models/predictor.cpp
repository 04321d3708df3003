// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/predictor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/nn/models/flat_row.hpp"
#include "ebb/nn/models/model_estimators.hpp"
#include "ebb/nn/models/model_format.hpp"
#include "ebb/nn/models/networks/training.hpp"
#include "ebb/nn/models/row_counts.hpp"

namespace ebb::inline v0::nn {
namespace {

using data::Kind;

std::string named(const std::string& name) { return data::detail::quoted(name); }

void check_policy(Policy policy, const char* what) {
  if (policy != Policy::clamp) return;
  throw ArgumentError(std::string("Predictor: there is nothing to clamp in ") + what +
                      "; take error or warn");
}

}  // namespace

struct Predictor::State {
  ModelFile file;
  PredictorOptions options;
  detail::AnyEstimator estimator;
  const Network* network;  ///< that of the estimator; null if it is linear
  std::optional<detail::FlatRow> flat;
  std::vector<data::Column> columns;  ///< of rows, with a level for those that are not known
  std::vector<std::unordered_map<std::string, std::size_t>> codes;
  mutable detail::RowCounts counts;

  State(const std::string& path, const PredictorOptions& given)
      : file(read_model(path, given.own)),
        options(given),
        estimator(detail::estimator_of(file)),
        network(estimator.network()),
        flat(detail::FlatRow::of(file)),
        columns(detail::row_columns(file)),
        codes(columns.size()),
        counts(file.features, given.watch) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (const std::string& level : file.features[j].levels)
        codes[j].emplace(level, codes[j].size());
    }
  }

  [[noreturn]] void fail(std::size_t j, std::int64_t row, const std::string& what) const {
    throw ArgumentError("Predictor: " + named(file.features[j].name) + " of row " +
                        std::to_string(row) + " " + what);
  }

  /// Checks one value, and gives what the model takes in its place.
  double admit(std::size_t j, std::int64_t row, double x, PredictorWarnings& found) const {
    const FeatureProfile& feature = file.features[j];
    if (std::isnan(x)) {
      if (options.missing == Policy::error) fail(j, row, "is missing");
      ++found.missing;
      return x;
    }
    if (feature.kind == Kind::categorical) return admit_code(j, row, x, found);
    if (std::isinf(x)) fail(j, row, "is infinite");
    if (x >= feature.minimum && x <= feature.maximum) return x;
    if (options.out_of_range == Policy::error) {
      fail(j, row,
           "is " + ebb::detail::to_text(x) + "; the training rows have " +
               ebb::detail::to_text(feature.minimum) + " to " +
               ebb::detail::to_text(feature.maximum) +
               (feature.unit.empty() ? "" : " " + feature.unit));
    }
    ++found.out_of_range;
    if (options.out_of_range == Policy::warn || std::isnan(feature.minimum)) return x;
    return std::clamp(x, feature.minimum, feature.maximum);
  }

  double admit_code(std::size_t j, std::int64_t row, double x, PredictorWarnings& found) const {
    const FeatureProfile& feature = file.features[j];
    const auto levels = double(feature.levels.size());
    if (!(x >= 0 && x <= levels && x == std::floor(x))) {
      fail(j, row, "is " + ebb::detail::to_text(x) + ", which is no code of a level");
    }
    if (x < levels && feature.counts[std::size_t(x)] > 0) return x;
    if (options.unknown_level == Policy::error) {
      fail(j, row,
           "has a level that no training row had" +
               (x < levels ? ", " + named(feature.levels[std::size_t(x)]) : std::string()) +
               "; they have " + data::detail::list_of(feature.levels, [](const std::string& level) {
                 return level;
               }));
    }
    ++found.unknown_level;
    return x;
  }

  template <class T>
  Array<double> rows_of(const data::Table<T>& table, PredictorWarnings& found) const;
  template <class T>
  void read_column(const data::Table<T>& table, const data::Column& column, std::size_t j,
                   Array<double>& to) const;
  /// The features of rows that were admitted, by the pipeline.
  Features features_of(const Array<double>& rows) const {
    return file.pipeline.transform(data::Table<double>(columns, rows)).select(file.inputs).values();
  }
  /// Admits rows, gives their features to a function, and counts them if it returns.
  template <class T, class F>
  auto with_features(const data::Table<T>& table, const F& f) const {
    PredictorWarnings found;
    const Array<double> given = rows_of(table, found);
    Array<double> admitted = given;
    const auto width = std::int64_t(columns.size());
    double* x = admitted.mutate();
    for (std::int64_t i = 0; i < given.shape()[0]; ++i)
      for (std::int64_t j = 0; j < width; ++j, ++x) *x = admit(std::size_t(j), i, *x, found);
    auto result = f(features_of(admitted));
    for (std::int64_t i = 0; i < given.shape()[0]; ++i) counts.add(given.data() + i * width);
    counts.add(found);
    return result;
  }
  /// Admits a row, and gives its sums to a function, and counts it if that returns.
  template <class F>
  auto with_sums(std::span<const double> row, const F& f) const;

  const Classifier& classifier() const {
    if (estimator.classifier) return *estimator.classifier;
    throw ArgumentError("Predictor: a " + file.estimator + " has no classes; call predict");
  }
  const Classifier& probabilistic() const {
    if (classifier().has_probabilities()) return classifier();
    throw ArgumentError("Predictor: a " + file.estimator +
                        " has no probabilities; take a LogisticRegression");
  }
  void write_inputs(const std::vector<double>& row, std::vector<double>& to) const;
  void write_sums(const std::vector<double>& inputs, std::vector<double>& to) const;
};

template <class T>
void Predictor::State::read_column(const data::Table<T>& table, const data::Column& column,
                                   std::size_t j, Array<double>& to) const {
  const FeatureProfile& feature = file.features[j];
  if (column.kind != feature.kind) {
    const bool is_numeric = feature.kind == Kind::numeric;
    throw ArgumentError("Predictor: " + named(feature.name) + " of " + table.source() + " has " +
                        (is_numeric ? "categories, and the model takes numbers"
                                    : "numbers, and the model takes categories"));
  }
  std::vector<double> code_of;
  for (const std::string& level : column.levels) {
    const auto found = codes[j].find(level);
    code_of.push_back(double(found == codes[j].end() ? feature.levels.size() : found->second));
  }
  const Array<T> values = table.column(feature.name);
  double* at = to.mutate() + j;
  for (std::int64_t i = 0; i < table.rows(); ++i, at += columns.size()) {
    const T x = values.data()[i];
    *at = feature.kind == Kind::numeric || std::isnan(x) ? double(x) : code_of[std::size_t(x)];
    const bool is_unknown =
        feature.kind == Kind::categorical && *at == double(feature.levels.size());
    if (is_unknown && options.unknown_level == Policy::error) {
      fail(j, i,
           "is " + named(column.levels[std::size_t(x)]) +
               ", which no training row had; they have " +
               data::detail::list_of(feature.levels,
                                     [](const std::string& level) { return level; }));
    }
  }
}

template <class T>
Array<double> Predictor::State::rows_of(const data::Table<T>& table,
                                        PredictorWarnings& found) const {
  if (table.rows() == 0) throw ArgumentError("Predictor: " + table.source() + " has no rows");
  auto rows = Array<double>::zeros({table.rows(), std::int64_t(columns.size())});
  std::vector<bool> is_there(columns.size());
  for (const data::Column& column : table.columns()) {
    const auto at = std::find_if(columns.begin(), columns.end(),
                                 [&](const data::Column& c) { return c.name == column.name; });
    if (at != columns.end()) {
      const auto j = std::size_t(at - columns.begin());
      is_there[j] = true;
      read_column(table, column, j, rows);
    } else if (column.name != file.target) {
      if (options.extra_columns == Policy::error) {
        throw ArgumentError("Predictor: " + named(column.name) + " of " + table.source() +
                            " is no feature of the model; drop it, or let extra_columns be warn");
      }
      ++found.extra_columns;
    }
  }
  for (std::size_t j = 0; j < columns.size(); ++j) {
    if (is_there[j]) continue;
    throw ArgumentError("Predictor: " + table.source() + " has no column " +
                        named(columns[j].name) + ", which is a feature of the model; it has " +
                        data::detail::list_of(table.columns(), &data::Column::name));
  }
  return rows;
}

/// What the pipeline gives for a row that was admitted.
void Predictor::State::write_inputs(const std::vector<double>& row, std::vector<double>& to) const {
  to.resize(file.inputs.size());
  if (flat && flat->inputs(row.data(), to.data())) return;
  const Array<double> values(Shape{1, std::int64_t(row.size())}, std::span(row));
  const Features x = features_of(values);
  std::copy(x.values().begin(), x.values().end(), to.begin());
  for (const double e : to) {
    if (std::isfinite(e)) continue;
    throw ArgumentError("Predictor: the pipeline gives " + ebb::detail::to_text(e) +
                        " for the row; add data::Impute to it");
  }
}

/// The sums of a linear model, with the bits of a table, or the outputs of a network.
void Predictor::State::write_sums(const std::vector<double>& inputs,
                                  std::vector<double>& to) const {
  if (network) {
    const Array<double> x(Shape{1, std::int64_t(inputs.size())}, std::span(inputs));
    const Array<double> outputs = detail::outputs_of(*network, x);
    to.assign(outputs.begin(), outputs.end());
    return;
  }
  to.assign(file.bias.begin(), file.bias.end());
  const double* weight = file.weight.data();
  for (double& sum : to)
    for (const double x : inputs) sum += x * *weight++;
}

template <class F>
auto Predictor::State::with_sums(std::span<const double> row, const F& f) const {
  if (row.size() != columns.size()) {
    throw ShapeError("Predictor: the row has " + std::to_string(row.size()) +
                     " numbers, and the model takes " + std::to_string(columns.size()));
  }
  thread_local std::vector<double> admitted, inputs, sums;
  admitted.resize(row.size());
  PredictorWarnings found;
  for (std::size_t j = 0; j < row.size(); ++j) admitted[j] = admit(j, 0, row[j], found);
  write_inputs(admitted, inputs);
  write_sums(inputs, sums);
  if (std::any_of(sums.begin(), sums.end(), [](double e) { return std::isnan(e); })) {
    throw ArgumentError("Predictor: the numbers of the row are too large for double");
  }
  const auto result = f(std::span<const double>(sums));
  counts.add(row.data());
  counts.add(found);
  return result;
}

namespace {

/// The position of the class of sums, as nn::predicted_labels: the first of the largest.
std::size_t class_of(std::span<const double> sums) {
  if (sums.size() == 1) return sums[0] > 0;
  return std::size_t(std::max_element(sums.begin(), sums.end()) - sums.begin());
}

}  // namespace

Predictor::Predictor(const std::string& path, const PredictorOptions& options) {
  check_policy(options.missing, "missing values");
  check_policy(options.unknown_level, "levels that are not known");
  check_policy(options.extra_columns, "extra columns");
  state_ = std::make_unique<State>(path, options);
}
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;
Predictor::~Predictor() = default;

const ModelFile& Predictor::model() const { return state_->file; }
const std::vector<FeatureProfile>& Predictor::features() const { return state_->file.features; }
bool Predictor::is_classifier() const { return state_->estimator.classifier != nullptr; }
bool Predictor::is_flat() const { return state_->flat.has_value(); }

template <Real T>
Array<double> Predictor::predict(const data::Table<T>& table) const {
  return state_->with_features(table, [&](const Features& x) -> Array<double> {
    if (state_->estimator.regressor) return state_->estimator.regressor->predict(x);
    const Array<std::int64_t> classes = state_->estimator.classifier->predict(x);
    auto numbers = Array<double>::uninitialized(classes.shape());
    std::transform(classes.begin(), classes.end(), numbers.mutate(),
                   [](std::int64_t e) { return double(e); });
    return numbers;
  });
}

template <Real T>
std::vector<std::string> Predictor::predict_words(const data::Table<T>& table) const {
  const Classifier& model = state_->classifier();
  return state_->with_features(table, [&](const Features& x) { return model.predict_words(x); });
}

template <Real T>
Array<double> Predictor::predict_proba(const data::Table<T>& table) const {
  const Classifier& model = state_->probabilistic();
  return state_->with_features(table, [&](const Features& x) {
    return detail::probabilities_of(model.decision_function(x));
  });
}

#define EBB_TABLES(T)                                                                              \
  template EBB_API Array<double> Predictor::predict(const data::Table<T>&) const;                  \
  template EBB_API std::vector<std::string> Predictor::predict_words(const data::Table<T>&) const; \
  template EBB_API Array<double> Predictor::predict_proba(const data::Table<T>&) const;
EBB_TABLES(float)
EBB_TABLES(double)
#undef EBB_TABLES

std::size_t Predictor::position(std::string_view feature) const {
  const auto& all = features();
  for (std::size_t j = 0; j < all.size(); ++j)
    if (all[j].name == feature) return j;
  throw ArgumentError("Predictor: there is no feature " + named(std::string(feature)) +
                      "; there are " + data::detail::list_of(all, &FeatureProfile::name));
}

std::vector<double> Predictor::row() const {
  return std::vector<double>(features().size(), std::numeric_limits<double>::quiet_NaN());
}

double Predictor::code(std::string_view feature, std::string_view level) const {
  const std::size_t j = position(feature);
  if (features()[j].kind == Kind::numeric) {
    throw ArgumentError("Predictor: " + named(std::string(feature)) +
                        " is a number, and has no levels");
  }
  if (level.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto found = state_->codes[j].find(std::string(level));
  return double(found == state_->codes[j].end() ? features()[j].levels.size() : found->second);
}

double Predictor::predict(std::span<const double> row) const {
  return state_->with_sums(row, [&](std::span<const double> sums) {
    if (is_classifier()) return double(state_->file.classes[std::int64_t(class_of(sums))]);
    // A regression that has a function of the sum.
    return state_->file.estimator == "PoissonRegressor" ? std::exp(sums[0]) : sums[0];
  });
}

const std::string& Predictor::predict_word(std::span<const double> row) const {
  static_cast<void>(state_->classifier());
  const std::size_t at = state_->with_sums(row, class_of);
  return state_->file.class_names[at];
}

void Predictor::predict_proba(std::span<const double> row, std::span<double> to) const {
  static_cast<void>(state_->probabilistic());
  if (to.size() != state_->file.class_names.size()) {
    throw ShapeError("Predictor: there are " + std::to_string(to.size()) +
                     " places for probabilities, and the model has " +
                     std::to_string(state_->file.class_names.size()) + " classes");
  }
  state_->with_sums(row, [&](std::span<const double> sums) {
    if (sums.size() == 1) {
      to[0] = 1 / (1 + std::exp(sums[0]));
      to[1] = 1 / (1 + std::exp(-sums[0]));
      return true;
    }
    const double largest = *std::max_element(sums.begin(), sums.end());
    double total = 0;
    for (std::size_t k = 0; k < to.size(); ++k) total += to[k] = std::exp(sums[k] - largest);
    for (double& p : to) p /= total;
    return true;
  });
}

std::int64_t Predictor::rows() const { return state_->counts.rows(); }
PredictorWarnings Predictor::warnings() const { return state_->counts.warnings(); }
void Predictor::reset() { state_->counts.reset(); }

DriftReport Predictor::drift() const {
  if (state_->options.watch) return state_->counts.drift(state_->options.drift);
  throw ArgumentError("Predictor: it does not watch; let watch be true");
}

void Predictor::merge(const Predictor& other) {
  const State& from = *other.state_;
  bool is_same = from.columns.size() == state_->columns.size();
  for (std::size_t j = 0; is_same && j < from.columns.size(); ++j) {
    const FeatureProfile &a = from.file.features[j], &b = features()[j];
    is_same = a.name == b.name && a.levels == b.levels && a.edges == b.edges;
  }
  if (!is_same || from.options.watch != state_->options.watch) {
    throw ArgumentError("Predictor: merge takes a predictor of the same file and options");
  }
  state_->counts.add(from.counts);
}

}  // namespace ebb::inline v0::nn
