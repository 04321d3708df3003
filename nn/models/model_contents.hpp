// SPDX-License-Identifier: BSD-3-Clause
// What a model file holds.
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "ebb/autodiff/values/fields.hpp"
#include "ebb/data/files/named_arrays.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/nn/models/estimators/solution.hpp"

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
  Array<double> weight = {};                  ///< (outputs, d), of a linear model
  Array<double> bias = {};                    ///< (outputs,), of a linear model
  double scale = 0;                           ///< of a HuberRegressor
  std::string network = {};                   ///< the layers of a network, as nn::describe says
  data::NamedArrays state = {};               ///< its weights: "0.weight", "0.bias", ...
  std::vector<double> losses = {};            ///< those of epochs
  std::vector<double> validation_losses = {};
  Solution solution = {};
  std::string warning = {};  ///< what was wrong with the fit
  std::uint64_t seed = 0;
  std::map<std::string, double> metrics = {};
  std::int64_t saved_at = 0;  ///< seconds since 1970 in UTC
};

}  // namespace ebb::inline v0::nn
