// SPDX-License-Identifier: BSD-3-Clause
// A fitted model as one file, with all that is needed to use it without the program that made it:
//
//   nn::TableModel model{nn::LogisticRegression({.l2 = 0.01})};
//   model.fit(train, "species");
//   nn::save_model("model.safetensors", model, train, {.seed = 7});
//   const auto again = nn::load_model<nn::LogisticRegression>("model.safetensors");
//
// nn::Predictor uses such a file without knowing the type of its estimator. The file is one of
// safetensors: "weight" (outputs, d) and "bias" (outputs,) of a linear model, and "0.weight",
// "0.bias", ... of a network load in Python by its package, and the rest are texts of its metadata.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ebb/nn/models/linear/classifiers.hpp"  // the estimators that a file may hold
#include "ebb/nn/models/linear/regressors.hpp"
#include "ebb/nn/models/model_estimators.hpp"
#include "ebb/nn/models/model_format.hpp"
#include "ebb/nn/models/networks/mlp.hpp"
#include "ebb/nn/models/table_model.hpp"

namespace ebb::inline v0::nn {

/// What `save_model` adds to a model.
struct SaveModelOptions {
  std::map<std::string, std::string> units = {};  ///< of features, by their names
  std::int64_t bins = 10;                         ///< of a histogram, from 2 to 100
  std::uint64_t seed = 0;                         ///< the one that the training used
  std::map<std::string, double> metrics = {};     ///< by their names
  std::int64_t saved_at = -1;                     ///< seconds since 1970 in UTC; below 0: now
};

namespace detail {

/// The histograms of the columns of a pipeline, without the target.
template <Real T>
EBB_API std::vector<FeatureProfile> profiles_of(const data::Pipeline& pipeline,
                                                const std::string& target,
                                                const data::Table<T>& training,
                                                const SaveModelOptions& options);
EBB_API void finish_and_write(const std::string& path, ModelFile file,
                              const SaveModelOptions& options);
/// @throws FileError for another estimator than that of the file.
EBB_API void check_estimator(const std::string& path, const ModelFile& file,
                             const std::string& name);

}  // namespace detail

/// Writes a fitted model as a file, whole or not at all. The training rows give the ranges and the
/// histograms of the features, by which a Predictor knows what is unlike them.
/// @throws ArgumentError before a fit, for rows without a column of the model, for a unit of no
/// feature, for bins out of range, and for names that are not UTF-8; FileError when the file cannot
/// be written.
template <class Estimator, Real T>
EBB_INLINE void save_model(const std::string& path, const TableModel<Estimator>& model,
                           const data::Table<T>& training, const SaveModelOptions& options = {}) {
  ModelFile file;
  detail::describe(model.estimator, file);
  file.pipeline = model.pipeline();
  file.inputs = model.features();
  file.target = model.target();
  file.features = detail::profiles_of(file.pipeline, file.target, training, options);
  detail::finish_and_write(path, std::move(file), options);
}

/// The model in a file, with the bits that it was saved with. A further fit fits its pipeline anew.
/// @throws FileError as `read_model`, and for a file of another estimator.
template <class Estimator>
EBB_INLINE TableModel<Estimator> load_model(const std::string& path,
                                            const std::vector<data::Step>& own = {}) {
  const ModelFile file = read_model(path, own);
  Estimator estimator;
  detail::check_estimator(path, file, estimator.name());
  detail::give(file, estimator);
  return TableModel<Estimator>(std::move(estimator),
                               detail::TableRoad(file.pipeline, file.target, file.inputs));
}

}  // namespace ebb::inline v0::nn
