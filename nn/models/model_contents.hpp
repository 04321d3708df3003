// SPDX-License-Identifier: BSD-3-Clause
// What a model file holds, and its reader.
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ebb/autodiff/values/fields.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/nn/models/linear/classifiers.hpp"
#include "ebb/nn/models/linear/regressors.hpp"

namespace ebb::inline v0::nn {

/// A column that a model takes, and what its training rows had in it.
struct EBB_API FeatureProfile {
  std::string name;
  data::Kind kind = data::Kind::numeric;
  std::vector<std::string> levels = {};  ///< of a category, by their codes
  std::string unit = {};                 ///< such as "mm"; may be empty

  /// The range of the training rows; NaN for categories and where all values are missing.
  double minimum = std::numeric_limits<double>::quiet_NaN();
  double maximum = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> edges = {};  ///< between the bins of numbers, ascending
  /// The training rows in each bin, which are one more than edges, or of each level.
  std::vector<std::int64_t> counts = {};
  std::int64_t missing = 0;  ///< the training rows without a value

  /// The number of training rows.
  std::int64_t rows() const;
  /// The bin of a number: the count of edges that are at most x.
  std::size_t bin(double x) const;
  void each(Fields& field);
};

/// All that a model file holds.
struct ModelFile {
  std::string ebb_version;                    ///< the library that wrote it
  std::string estimator;                      ///< its name, such as "Ridge"
  std::string options;                        ///< those of the estimator, as JSON
  std::vector<FeatureProfile> features = {};  ///< the columns that the model takes, in their order
  data::Pipeline pipeline = {};               ///< fitted
  std::vector<std::string> inputs = {};  ///< what the pipeline gives: the names of the d weights
  std::string target;
  std::vector<std::string> class_names = {};  ///< of a classifier
  Array<std::int64_t> classes = {};           ///< their numbers, (classes,)
  Array<double> weight = {};                  ///< (outputs, d)
  Array<double> bias = {};                    ///< (outputs,)
  double scale = 0;                           ///< of a HuberRegressor
  Solution solution = {};
  std::string warning = {};  ///< what was wrong with the fit
  std::uint64_t seed = 0;
  std::map<std::string, double> metrics = {};
  std::int64_t saved_at = 0;  ///< seconds since 1970 in UTC
};

/// Reads a file that `save_model` wrote. If its pipeline has transforms of your own types, pass one
/// of each, as to data::Pipeline::load.
/// @throws FileError that starts with the name of the file, for a file of another version or of
/// another kind, and for one whose parts do not fit each other.
EBB_API ModelFile read_model(const std::string& path, const std::vector<data::Step>& own = {});

namespace detail {

/// Visits the options of an estimator of the library.
/// @throws ArgumentError for one of another type.
void each_options(LinearRegressor& estimator, Fields& field);
void each_options(LinearClassifier& estimator, Fields& field);
/// Gives an estimator of the type that the file says what it learned.
EBB_API void give(const ModelFile& file, LinearRegressor& to);
EBB_API void give(const ModelFile& file, LinearClassifier& to);

/// An estimator of a type that is known when the program runs: one of the two.
struct EBB_API AnyEstimator {
  std::unique_ptr<LinearRegressor> regressor;
  std::unique_ptr<LinearClassifier> classifier;
};
EBB_API AnyEstimator estimator_of(const ModelFile& file);

/// @throws ArgumentError for texts that are not UTF-8; FileError when the file cannot be written.
void write_model(const std::string& path, const ModelFile& file);
/// @throws FileError as `nn::read_model`.
ModelFile read_model(const data::detail::BinaryFile& file, const std::vector<data::Step>& own);

}  // namespace detail
}  // namespace ebb::inline v0::nn
