// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/model_estimators.hpp"

#include <algorithm>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/json.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/models/linear/classifiers.hpp"
#include "ebb/nn/models/linear/regressors.hpp"
#include "ebb/nn/models/networks/mlp.hpp"
#include "ebb/nn/models/networks/training.hpp"
#include "ebb/nn/modes.hpp"
#include "ebb/nn/stack_file.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

using data::detail::Json;
using Writer = data::detail::JsonWriter<Fields>;
using Reader = data::detail::JsonReader<Fields>;

constexpr data::detail::JsonLimits options_limits{
    .what = "a model file", .origin = "a model file is one that save_model wrote"};

template <class... Estimators>
struct Types {};
/// All estimators of the library with a base.
template <class Base>
constexpr auto types_of = Types<LinearRegression, Ridge, Lasso, ElasticNet, HuberRegressor,
                                PoissonRegressor, MLPRegressor>();
template <>
constexpr auto types_of<Classifier> = Types<LogisticRegression, LinearSVM, MLPClassifier>();

/// Whether f is true of a type, of which it is told by a pointer; it is asked until it is.
template <class... All, class F>
bool any_of(Types<All...>, const F& f) {
  return (f(static_cast<All*>(nullptr)) || ...);
}

/// Calls f with the estimator in its own type. False if that is not one of the library.
template <class Base, class F>
bool with_type(Base& estimator, const F& f) {
  return any_of(types_of<Base>, [&]<class Estimator>(Estimator*) {
    auto* const known = dynamic_cast<Estimator*>(&estimator);
    if (known) f(*known);
    return known != nullptr;
  });
}

template <class Estimator>
constexpr bool is_network = requires(Estimator& estimator) {
  estimator.network;
};

void read_options(const ModelFile& file, auto& estimator) {
  const std::string where = "the options of " + file.estimator;
  const Json json = data::detail::parse_json(where, file.options, options_limits);
  if (!json.is_object()) throw FileError(where + ": must be an object");
  Reader reader(json, where);
  estimator.options.each(reader);
  reader.expect_end();
}

void demand(bool holds, const char* otherwise) {
  if (!holds) throw FileError(std::string("the network: ") + otherwise);
}

/// Gives an estimator a network, which must be one that its options make.
void give_network(const ModelFile& file, auto& to) {
  const auto plan = plan_of(to.options);
  const std::size_t k = file.class_names.size();
  const auto inputs = std::int64_t(file.inputs.size());
  const auto outputs = std::int64_t(k > 2 ? k : 1);
  Stack<double> layers = stack_of<double>("the network", file.network, file.state);
  // Sizes before all else, so that the options make no network that is larger than this one.
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (const auto* linear = layers[i].get<Linear<double>>())
      sizes.push_back(linear->settings.out_features);
  }
  std::vector<std::int64_t> expected = plan.hidden;
  expected.push_back(outputs);
  demand(sizes == expected, "the layers have other sizes than the options and the classes say");
  Stream stream(0);
  demand(nn::describe(layers) == nn::describe(network_of(plan, inputs, outputs, stream)),
         "the layers are not those of the options");
  for (const Parameter& parameter : parameters(layers)) {
    const Array<double>& array = parameter.get<double>()->value();
    demand(std::all_of(array.begin(), array.end(), [](double x) { return std::isfinite(x); }),
           "a weight is not finite");
  }
  eval(layers);
  to.network = Network(std::move(layers));
  to.losses = file.losses;
  to.validation_losses = file.validation_losses;
}

void give_linear(const ModelFile& file, LinearRegressor& to) {
  to.coefficients = file.weight.reshape(Shape{file.weight.size()});
  to.intercept = file.bias[0];
}
void give_linear(const ModelFile& file, LinearClassifier& to) {
  to.coefficients = file.weight;
  to.intercept = file.bias;
}
void describe_linear(const LinearRegressor& estimator, ModelFile& to) {
  to.weight = estimator.coefficients.reshape(Shape{1, estimator.coefficients.size()});
  to.bias = Array<double>::of({estimator.intercept});
}
void describe_linear(const LinearClassifier& estimator, ModelFile& to) {
  to.weight = estimator.coefficients;
  to.bias = estimator.intercept;
}

template <class Base>
void describe_any(const Base& estimator, ModelFile& to) {
  if (!estimator.is_fitted())
    throw ArgumentError("save_model: the estimator is not fitted yet; call fit before");
  to.estimator = estimator.name();
  to.solution = estimator.solution;
  to.warning = estimator.warning;
  // Nothing is changed, and one `each` is for all visitors.
  const bool is_known = with_type(const_cast<Base&>(estimator), [&]<class Known>(Known& known) {
    Json json = Json::object();
    Writer writer(json, "save_model");
    known.options.each(writer);
    to.options = json.dump();
    if constexpr (is_network<Known>) {
      to.network = nn::describe(known.network.layers);
      to.state = state(known.network.layers);
      to.losses = known.losses;
      to.validation_losses = known.validation_losses;
    } else {
      describe_linear(known, to);
    }
    if constexpr (std::same_as<Known, HuberRegressor>) to.scale = known.scale;
  });
  if (!is_known) {
    throw ArgumentError("save_model: a " + estimator.name() +
                        " is no estimator of the library, so that no file can name it");
  }
}

template <class Base>
void give_any(const ModelFile& file, Base& to) {
  with_type(to, [&]<class Known>(Known& known) {
    read_options(file, known);
    if constexpr (is_network<Known>) {
      give_network(file, known);
    } else {
      demand(file.network.empty(), "a linear estimator has none");
      give_linear(file, known);
    }
    if constexpr (std::same_as<Known, HuberRegressor>) known.scale = file.scale;
  });
  to.solution = file.solution;
  to.warning = file.warning;
}

/// Makes the estimator of the file. False if that is not one with this base.
template <class Base>
bool make(const ModelFile& file, std::unique_ptr<Base>& to) {
  return any_of(types_of<Base>, [&]<class Estimator>(Estimator*) {
    auto made = std::make_unique<Estimator>();
    if (made->name() != file.estimator) return false;
    give(file, *made);
    to = std::move(made);
    return true;
  });
}

}  // namespace

void describe(const Regressor& estimator, ModelFile& to) { describe_any(estimator, to); }
void describe(const Classifier& estimator, ModelFile& to) {
  describe_any(estimator, to);
  to.classes = estimator.classes;
  to.class_names = estimator.class_names;
}
void give(const ModelFile& file, Regressor& to) { give_any(file, to); }
void give(const ModelFile& file, Classifier& to) {
  give_any(file, to);
  to.classes = file.classes;
  to.class_names = file.class_names;
}

AnyEstimator estimator_of(const ModelFile& file) {
  AnyEstimator any;
  const bool is_known = make(file, any.regressor) || make(file, any.classifier);
  if (!is_known) throw FileError("there is no estimator " + data::detail::quoted(file.estimator));
  return any;
}

const Network* AnyEstimator::network() const {
  if (const auto* mlp = dynamic_cast<const MLPRegressor*>(regressor.get())) return &mlp->network;
  if (const auto* mlp = dynamic_cast<const MLPClassifier*>(classifier.get())) return &mlp->network;
  return nullptr;
}

}  // namespace ebb::inline v0::nn::detail
