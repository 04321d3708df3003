// SPDX-License-Identifier: BSD-3-Clause
// A new place on a tape for a value that exists.
#pragma once
#include "ebb/autodiff/engine/record.hpp"

namespace ebb::inline v0::detail {

/// Records the identity of an input, or of none if `input` is `Argument::constant`: a new place on
/// a tape for a value that is there already. Gradients pass through it.
template <class T>
Tensor<T> identity_record(Records& tape, std::uint32_t input, const Tensor<T>& value);

}  // namespace ebb::inline v0::detail
