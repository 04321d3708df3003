// SPDX-License-Identifier: BSD-3-Clause
// How a vjp is differentiated: by recording, on the same tape, what it computes.
#pragma once
#include <functional>
#include <span>

#include "ebb/autodiff/engine/directions.hpp"
#include "ebb/autodiff/engine/sweep.hpp"

namespace ebb::inline v0::detail {

/// A function of tensors, made of operations.
template <class T>
using OnTensors = std::function<Tensor<T>(std::span<const Tensor<T>>)>;

/// Differentiates f at arguments that a record kept, by recording it, and gives each argument that
/// needs it a part of the gradient: the way to every higher order. The other arguments are
/// constants of this sweep; if it is recorded, they keep their places, since its results depend on
/// them.
template <class T>
void differentiate_recorded(VjpContext context, std::span<const Argument> arguments,
                            const OnTensors<T>& f);

// The gradient of one input of a formula, g * slope(x...), is an operation of its own in a recorded
// sweep, a pull. Its arguments are g, one for each result of the formula, then the values that the
// slope reads.

/// Ends a pull that was started: keeps its arguments, and returns its result.
template <class T>
Tensor<T> publish_pull(Record& pull, std::span<const Argument> arguments, BlockHandle result);

/// Differentiates a pull: `f` computes it in operations on tensors. Where g is 0, x gets a gradient
/// of 0 in place of one that is not finite, so that a gradient of zero gives zeros at every order.
template <class T>
void differentiate_pull(VjpContext context, std::span<const Argument> arguments,
                        const OnTensors<T>& f, std::size_t results = 1);

/// `differentiate_recorded` for several directions: what f records is swept for all of them.
template <class T>
void directions_of_recorded(DirectionsContext context, std::span<const Argument> arguments,
                            const OnTensors<T>& f);
/// `differentiate_pull` for several directions: its slopes are computed once.
template <class T>
void directions_of_pull(DirectionsContext context, std::span<const Argument> arguments,
                        const OnTensors<T>& f);

}  // namespace ebb::inline v0::detail
