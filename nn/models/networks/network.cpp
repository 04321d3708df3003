// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/networks/network.hpp"

#include <algorithm>
#include <utility>

#include "ebb/nn/modes.hpp"
#include "ebb/nn/stack_file.hpp"

namespace ebb::inline v0::nn {

Network::Network() = default;
Network::Network(Stack<double> given) : layers(std::move(given)) {}
Network::Network(const Network& other) : layers(other.layers.clone()) {}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network other) noexcept {
  layers = std::move(other.layers);
  return *this;
}
Network::~Network() = default;

void Network::each(Parts& part) {
  std::string text = empty() ? std::string() : describe(layers);
  std::vector<double> weights;
  for (const Parameter& parameter : parameters(layers)) {
    const Array<double>& array = parameter.get<double>()->value();
    weights.insert(weights.end(), array.begin(), array.end());
  }
  const std::string old_text = text;
  const std::vector<double> old_weights = weights;
  part("layers", text);
  part("weights", weights);
  if (text == old_text && weights == old_weights) return;
  Stack<double> made;
  if (!text.empty()) made = detail::build_within<double>(text, std::int64_t(weights.size()));
  const double* from = weights.data();
  std::int64_t left = std::int64_t(weights.size());
  for (Parameter& parameter : parameters(made)) {
    left -= parameter.size();
    part.refuse_unless(left >= 0, "\"weights\" has too few numbers for the layers");
    auto array = Array<double>::uninitialized(parameter.shape());
    std::copy_n(from, array.size(), array.mutate());
    from += array.size();
    parameter.get<double>()->set_value(std::move(array));
  }
  part.refuse_unless(left == 0, "\"weights\" has more numbers than the layers");
  eval(made);
  layers = std::move(made);
}

}  // namespace ebb::inline v0::nn
