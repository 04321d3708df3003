// SPDX-License-Identifier: BSD-3-Clause
// Records that compute nothing: new places on a tape for values that are there already.
#pragma once
#include "ebb/autodiff/record.hpp"

namespace ebb::inline v0::detail {

/// A record of the identity with this input, or with none; gradients pass through it.
template <class T>
Tensor<T> fresh_leaf(Recorder& tape, std::uint32_t input, const Tensor<T>& value);

}  // namespace ebb::inline v0::detail
