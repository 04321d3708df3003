// SPDX-License-Identifier: BSD-3-Clause
// Predictions of a model file, for rows that may be unlike those of its training:
//
//   const nn::Predictor predictor("model.safetensors", {.out_of_range = nn::Policy::clamp});
//   std::cout << predictor.predict_words(table)[0] << "\n";
//   std::vector<double> row = predictor.row();                  // in the order of features()
//   row[predictor.position("age")] = 41;
//   row[predictor.position("zone")] = predictor.code("zone", "north");
//   const double p = predictor.predict(row);
//   if (predictor.drift().alarm()) std::cerr << predictor.drift();
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/data/tables/table.hpp"
#include "ebb/nn/models/drift.hpp"
#include "ebb/nn/models/model_contents.hpp"

namespace ebb::inline v0::nn {

/// What a Predictor does with a value that its training rows did not have.
enum class Policy : std::uint8_t {
  error,  ///< an ArgumentError that names the feature, the value and what was expected
  warn,   ///< takes it as it is, and counts it
  clamp,  ///< takes the nearest number of the training range, and counts it
};

struct PredictorOptions {
  Policy out_of_range = Policy::warn;  ///< for numbers outside of the training range
  /// For missing values, which the pipeline imputes if it can; error or warn.
  Policy missing = Policy::warn;
  /// For levels that no training row had, which the pipeline decides on; error or warn.
  Policy unknown_level = Policy::warn;
  /// For columns of a table that are neither features nor the target; warn or error.
  Policy extra_columns = Policy::warn;
  /// Whether the rows are counted for `drift`.
  bool watch = true;
  DriftOptions drift = {};
  /// One of each transform of your own that the pipeline has, as for data::Pipeline::load.
  std::vector<data::Step> own = {};
};

/// The model of a file, with checks of what it is given. Columns of tables are found by name, and
/// the levels of categories as well; their order is free. Infinity is always refused.
///
/// Many threads may call a Predictor at once; its counts are exact then, too. `predict` of a row
/// gives the bits of a table, of a network those of a table of one row, and allocates nothing after
/// the first call of a thread, if the pipeline has no other steps than data::Impute without marks,
/// data::Standardize, data::Robust and data::OneHot, with few levels; otherwise a row is a table.
class EBB_API Predictor {
 public:
  /// @throws FileError as `read_model`; ArgumentError for a policy that does not fit.
  explicit Predictor(const std::string& path, const PredictorOptions& options = {});
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;
  ~Predictor();

  /// What the file says of the model.
  const ModelFile& model() const;
  /// The columns that it takes, in the order of rows.
  const std::vector<FeatureProfile>& features() const;
  bool is_classifier() const;
  /// Whether rows take the short way.
  bool is_flat() const;

  /// The predictions (n,): numbers, or, of a classifier, the numbers of classes, which are 0, 1,
  /// ... for words.
  /// @throws ArgumentError for a column that is not there or of another kind, for what the policies
  /// refuse, and as the pipeline. Then no row is counted.
  template <Real T>
  Array<double> predict(const data::Table<T>& table) const;
  /// The classes of rows by their names. @throws ArgumentError for a regression, and as `predict`.
  template <Real T>
  std::vector<std::string> predict_words(const data::Table<T>& table) const;
  /// The probabilities (n, classes), in the order of `model().class_names`.
  /// @throws ArgumentError for a model without them, and as `predict`.
  template <Real T>
  Array<double> predict_proba(const data::Table<T>& table) const;

  /// The position of a feature in a row. @throws ArgumentError, which lists the features, for
  /// another name.
  std::size_t position(std::string_view feature) const;
  /// A row in which all is missing, to be filled.
  std::vector<double> row() const;
  /// The number of a level in a row; one that is not known has a number of its own. That of "" is
  /// NaN, a missing value.
  /// @throws ArgumentError for a feature that is no category.
  double code(std::string_view feature, std::string_view level) const;
  /// The prediction for one row, as of a table. NaN is a missing value.
  /// @throws ShapeError for another size than that of `features()`; ArgumentError for a category
  /// that is no code, and as for a table.
  double predict(std::span<const double> row) const;
  /// The class of one row by its name.
  const std::string& predict_word(std::span<const double> row) const;
  /// The probabilities of one row, which may differ from those of a table in their last digits,
  /// since a table takes the vectorized exponential.
  /// @throws ShapeError unless there is a place for each class, and as `predict`.
  void predict_proba(std::span<const double> row, std::span<double> probabilities) const;

  /// The rows that were predicted so far.
  std::int64_t rows() const;
  PredictorWarnings warnings() const;
  /// The drift of all rows that were predicted since the start or the last reset.
  /// @throws ArgumentError for a predictor that does not watch.
  DriftReport drift() const;
  /// Sets rows, warnings and drift to nothing. Rows that other threads predict at this moment may
  /// be counted in part.
  void reset();
  /// Adds the rows, warnings and drift of another predictor of the same file, such as one
  /// for each thread.
  /// @throws ArgumentError for other features or bins.
  void merge(const Predictor& other);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ebb::inline v0::nn
