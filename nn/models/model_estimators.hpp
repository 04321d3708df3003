// SPDX-License-Identifier: BSD-3-Clause
// What a model file says of each estimator of the library, and the estimators that it makes.
#pragma once
#include <memory>
#include <string>

#include "ebb/nn/models/estimators/classifier.hpp"
#include "ebb/nn/models/estimators/regressor.hpp"
#include "ebb/nn/models/model_contents.hpp"
#include "ebb/nn/models/networks/network.hpp"

namespace ebb::inline v0::nn::detail {

/// Says what a fitted estimator is and has learned.
/// @throws ArgumentError before a fit, and for a type that is not of the library.
EBB_API void describe(const Regressor& estimator, ModelFile& to);
EBB_API void describe(const Classifier& estimator, ModelFile& to);
/// Gives an estimator of the type that the file says what it learned.
/// @throws FileError for options and for layers that are not those of the estimator.
EBB_API void give(const ModelFile& file, Regressor& to);
EBB_API void give(const ModelFile& file, Classifier& to);

/// An estimator of a type that is known when the program runs: one of the two.
struct EBB_API AnyEstimator {
  std::unique_ptr<Regressor> regressor;
  std::unique_ptr<Classifier> classifier;

  /// Its network, or null if it is linear.
  const Network* network() const;
};
/// @throws FileError as `give`, and for a name that is not known.
EBB_API AnyEstimator estimator_of(const ModelFile& file);

}  // namespace ebb::inline v0::nn::detail
