// SPDX-License-Identifier: BSD-3-Clause
// Reads any bytes as a model file; what comes out makes an estimator, which predicts a row. A first
// byte S says that the rest is a stack of layers.
#include "ebb/nn/models/model_estimators.hpp"
#include "ebb/nn/models/model_format.hpp"
#include "ebb/nn/stack_file.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

using namespace ebb;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  if (count > 0 && bytes[0] == 'S') {
    const fuzz::NamedFile file(bytes + 1, count - 1);
    file.accepts([&] {
      const auto stack = nn::load_stack<double>(file.path());
      const auto again = nn::build<double>(nn::describe(stack));
      fuzz::demand(nn::describe(again) == nn::describe(stack));
    });
    return 0;
  }
  fuzz::try_read(bytes, count, [](const auto& file, const auto&) {
    const nn::ModelFile model = nn::detail::read_model(file, {});
    const nn::detail::AnyEstimator estimator = nn::detail::estimator_of(model);
    fuzz::demand((estimator.regressor != nullptr) != (estimator.classifier != nullptr));
    fuzz::demand((estimator.classifier != nullptr) == !model.class_names.empty());
    fuzz::demand((estimator.network() != nullptr) == !model.network.empty());
    const nn::Features row(Array<double>::zeros({1, std::int64_t(model.inputs.size())}));
    if (estimator.regressor) {
      fuzz::demand(estimator.regressor->predict(row).size() == 1);
    } else {
      const auto words = estimator.classifier->predict_words(row);
      fuzz::demand(words.size() == 1);
    }
  });
  return 0;
}
