// SPDX-License-Identifier: BSD-3-Clause
// The one unit that instantiates samples.
#include "ebb/autodiff/registry.hpp"

#include <limits>

#include "ebb/autodiff/ops/activations.hpp"
#include "ebb/autodiff/ops/convolution.hpp"
#include "ebb/autodiff/ops/dropout.hpp"
#include "ebb/autodiff/ops/einsum.hpp"
#include "ebb/autodiff/ops/elementwise.hpp"
#include "ebb/autodiff/ops/elementwise_call.hpp"
#include "ebb/autodiff/ops/embedding.hpp"
#include "ebb/autodiff/ops/factors.hpp"
#include "ebb/autodiff/ops/index_ops.hpp"
#include "ebb/autodiff/ops/joins.hpp"
#include "ebb/autodiff/ops/linear_algebra.hpp"
#include "ebb/autodiff/ops/losses.hpp"
#include "ebb/autodiff/ops/masks.hpp"
#include "ebb/autodiff/ops/matrices.hpp"
#include "ebb/autodiff/ops/normalisation.hpp"
#include "ebb/autodiff/ops/order.hpp"
#include "ebb/autodiff/ops/pooling.hpp"
#include "ebb/autodiff/ops/rearrange.hpp"
#include "ebb/autodiff/ops/reduce.hpp"
#include "ebb/autodiff/ops/scans.hpp"
#include "ebb/autodiff/ops/shape_ops.hpp"
#include "ebb/autodiff/ops/solvers.hpp"
#include "ebb/autodiff/ops/statistics.hpp"

namespace ebb::inline v0 {
namespace {

template <class O>
RegistryEntry elementwise(int arity, std::string_view family = "elementwise") {
  RegistryEntry entry;
  entry.name = O::name;
  entry.family = family;
  entry.elementwise_arity = arity;
  entry.lower_bound = -std::numeric_limits<double>::infinity();
  entry.upper_bound = std::numeric_limits<double>::infinity();
  if constexpr (requires { O::lower_bound; }) entry.lower_bound = O::lower_bound;
  if constexpr (requires { O::upper_bound; }) entry.upper_bound = O::upper_bound;
  if constexpr (requires { O::kinks; })
    entry.kinks.assign(std::begin(O::kinks), std::end(O::kinks));
  return entry;
}

/// A formula with parameters says which ones its samples are for.
template <class O>
O example() {
  if constexpr (requires { O::example(); }) {
    return O::example();
  } else {
    return O{};
  }
}

template <class O>
RegistryEntry unary() {
  auto entry = elementwise<O>(1);
  entry.zero_slope = op::unary_literal<O>() == 0;
  for (double x : O::samples) entry.points.push_back({x});
  const auto call = [](auto x) { return detail::call_unary(example<O>(), x[0]); };
  entry.in_double = call;
  entry.in_float = call;
  return entry;
}

template <class O>
RegistryEntry binary() {
  auto entry = elementwise<O>(2);
  for (const auto& pair : O::samples) entry.points.push_back({pair[0], pair[1]});
  const auto call = [](auto x) { return detail::call_binary(O{}, x[0], x[1]); };
  entry.in_double = call;
  entry.in_float = call;
  return entry;
}

/// A formula behind a function of one argument, which says how the samples call it.
template <class O>
RegistryEntry composed() {
  auto entry = elementwise<O>(1, "activations");
  for (double x : O::samples) entry.points.push_back({x});
  const auto call = [](auto x) { return O::call(x[0]); };
  entry.in_double = call;
  entry.in_float = call;
  if constexpr (requires { O::rejections(); }) entry.rejections = O::rejections();
  return entry;
}

template <class O>
RegistryEntry structured(std::string_view family) {
  RegistryEntry entry;
  entry.name = O::name;
  entry.family = family;
  if constexpr (requires { O::internal; }) entry.internal = O::internal;
  entry.samples = O::samples();
  entry.rejections = O::rejections();
  return entry;
}

template <class... O>
void add(std::vector<RegistryEntry>& all, std::string_view family, op::List<O...>) {
  (all.push_back(structured<O>(family)), ...);
}

template <class... U, class... B>
void add_elementwise(std::vector<RegistryEntry>& all, op::List<U...>, op::List<B...>) {
  (all.push_back(unary<U>()), ...);
  (all.push_back(binary<B>()), ...);
}

template <class... O>
void add_composed(std::vector<RegistryEntry>& all, op::List<O...>) {
  (all.push_back(composed<O>()), ...);
}

}  // namespace

std::vector<RegistryEntry> registry() {
  std::vector<RegistryEntry> all;
  add_elementwise(all, op::Unary{}, op::Binary{});
  add_composed(all, op::Activations{});
  add(all, "masks", op::Masked{});
  add(all, "reductions", op::Reductions{});
  add(all, "statistics", op::Statistics{});
  add(all, "scans", op::Scans{});
  add(all, "order", op::Ordered{});
  add(all, "linear algebra", op::LinearAlgebra{});
  add(all, "matrices", op::Matrices{});
  add(all, "solvers", op::Solvers{});
  add(all, "factors", op::Factors{});
  add(all, "einsum", op::Einsums{});
  add(all, "shapes", op::Shapes{});
  add(all, "rearrangements", op::Rearrangements{});
  add(all, "indices", op::Indexed{});
  add(all, "joins", op::Joins{});
  add(all, "losses", op::Losses{});
  add(all, "convolutions", op::Convolutions{});
  add(all, "pooling", op::Poolings{});
  add(all, "embeddings", op::Embeddings{});
  add(all, "normalisations", op::Normalisations{});
  add(all, "drawn", op::Drawn{});
  return all;
}

}  // namespace ebb::inline v0
