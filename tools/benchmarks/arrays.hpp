// SPDX-License-Identifier: BSD-3-Clause
// The same numbers as arrays of ebb.
#pragma once
#include "bench.hpp"
#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace bench {

inline ebb::Array<float> array(const ebb::Shape& shape, Numbers& numbers) {
  return {shape, std::span<const float>(numbers.data(), std::size_t(shape.size()))};
}
inline ebb::Variable<float> variable(const ebb::Shape& shape, Numbers& numbers) {
  return ebb::Variable<float>(array(shape, numbers));
}

}  // namespace bench
