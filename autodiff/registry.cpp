// SPDX-License-Identifier: BSD-3-Clause
// The only unit that instantiates samples.
#include "ebb/autodiff/registry.hpp"

#include <limits>

#include "ebb/autodiff/formula/activations.hpp"
#include "ebb/autodiff/formula/elementwise.hpp"
#include "ebb/autodiff/ops/blends.hpp"
#include "ebb/autodiff/ops/choices.hpp"
#include "ebb/autodiff/ops/elementwise_call.hpp"
#include "ebb/autodiff/ops/indexing.hpp"
#include "ebb/autodiff/ops/joins.hpp"
#include "ebb/autodiff/ops/linear_algebra/determinants.hpp"
#include "ebb/autodiff/ops/linear_algebra/distances.hpp"
#include "ebb/autodiff/ops/linear_algebra/einsum.hpp"
#include "ebb/autodiff/ops/linear_algebra/factors.hpp"
#include "ebb/autodiff/ops/linear_algebra/matrices.hpp"
#include "ebb/autodiff/ops/linear_algebra/matrix_functions.hpp"
#include "ebb/autodiff/ops/linear_algebra/products.hpp"
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"
#include "ebb/autodiff/ops/linear_algebra/triangles.hpp"
#include "ebb/autodiff/ops/log_scans.hpp"
#include "ebb/autodiff/ops/masks.hpp"
#include "ebb/autodiff/ops/networks/attention.hpp"
#include "ebb/autodiff/ops/networks/convolution.hpp"
#include "ebb/autodiff/ops/networks/dropout.hpp"
#include "ebb/autodiff/ops/networks/embedding.hpp"
#include "ebb/autodiff/ops/networks/label_losses.hpp"
#include "ebb/autodiff/ops/networks/losses.hpp"
#include "ebb/autodiff/ops/networks/normalisation.hpp"
#include "ebb/autodiff/ops/networks/pooling.hpp"
#include "ebb/autodiff/ops/networks/recurrent.hpp"
#include "ebb/autodiff/ops/networks/transposed_convolution.hpp"
#include "ebb/autodiff/ops/order.hpp"
#include "ebb/autodiff/ops/rearrangements.hpp"
#include "ebb/autodiff/ops/reductions.hpp"
#include "ebb/autodiff/ops/scans.hpp"
#include "ebb/autodiff/ops/shapes.hpp"
#include "ebb/autodiff/ops/slices.hpp"
#include "ebb/autodiff/ops/sparse/products.hpp"
#include "ebb/autodiff/ops/statistics.hpp"
#include "ebb/autodiff/tape.hpp"

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
  entry.has_kinks = !entry.kinks.empty();
  return entry;
}

/// A formula with parameters states the parameters of its samples.
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

/// A formula of one argument states how its samples call it.
template <class O>
RegistryEntry composed() {
  auto entry = elementwise<O>(1, "activations");
  for (double x : O::samples) entry.points.push_back({x});
  const auto call = [](auto x) { return O::call(x[0]); };
  entry.in_double = call;
  entry.in_float = call;
  const auto refuses = [&entry](std::string label, auto refused, std::string message) {
    entry.rejections.push_back(
        {std::move(label), [refused] { refused(op::spread({2})); }, std::move(message)});
  };
  if constexpr (requires { O::rejections(refuses); }) O::rejections(refuses);
  return entry;
}

template <class O>
RegistryEntry structured(std::string_view family) {
  RegistryEntry entry;
  entry.name = O::name;
  entry.family = family;
  if constexpr (requires { O::internal; }) entry.internal = O::internal;
  if constexpr (requires { O::has_kinks; }) entry.has_kinks = O::has_kinks;
  if constexpr (requires { O::lacks; }) entry.lacks = O::lacks;
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

/// An input of points as arrays: the first input differs by row, the second by column, and so on.
Array<double> points_of(const RegistryEntry& entry, std::size_t input, const Shape& shape) {
  auto values = Array<double>::uninitialized(shape);
  double* v = values.mutate();
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    v[i] = entry.points[std::size_t(i) % entry.points.size()][input];
  }
  return values;
}

}  // namespace

std::vector<RegistryEntry> registry() {
  std::vector<RegistryEntry> all;
  add_elementwise(all, op::Unary{}, op::Binary{});
  add_composed(all, op::Activations{});
  add(all, "blends", op::Blends{});
  add(all, "masks", op::Masked{});
  add(all, "reductions", op::Reductions{});
  add(all, "reductions", op::Choices{});
  add(all, "statistics", op::Statistics{});
  add(all, "scans", op::Scans{});
  add(all, "scans", op::LogScans{});
  add(all, "order", op::Ordered{});
  add(all, "linear algebra", op::LinearAlgebra{});
  add(all, "sparse", op::SparseProducts{});
  add(all, "matrices", op::Matrices{});
  add(all, "matrices", op::Triangles{});
  add(all, "distances", op::Distances{});
  add(all, "solvers", op::Solvers{});
  add(all, "matrix functions", op::MatrixFunctions{});
  add(all, "determinants", op::Determinants{});
  add(all, "factors", op::Factors{});
  add(all, "einsum", op::Einsums{});
  add(all, "shapes", op::Shapes{});
  add(all, "shapes", op::Slices{});
  add(all, "rearrangements", op::Rearrangements{});
  add(all, "indices", op::Indexed{});
  add(all, "joins", op::Joins{});
  add(all, "losses", op::Losses{});
  add(all, "losses", op::LabelLosses{});
  add(all, "convolutions", op::Convolutions{});
  add(all, "convolutions", op::TransposedConvolutions{});
  add(all, "pooling", op::Poolings{});
  add(all, "embeddings", op::Embeddings{});
  add(all, "normalisations", op::Normalisations{});
  add(all, "attention", op::Attentions{});
  add(all, "recurrent", op::Recurrences{});
  add(all, "drawn", op::Drawn{});
  return all;
}

std::vector<op::Sample> samples_of(const RegistryEntry& entry) {
  if (entry.elementwise_arity == 0) return entry.samples;
  std::vector<op::Sample> samples;
  const auto n = std::int64_t(entry.points.size());
  const auto add = [&](std::string label, std::vector<Array<double>> inputs) {
    samples.push_back({std::move(label), std::move(inputs), entry.in_double, entry.in_float});
  };
  if (entry.elementwise_arity == 1) {
    add("a vector", {points_of(entry, 0, {n})});
    add("a matrix", {points_of(entry, 0, {3, n})});
    add("nothing", {points_of(entry, 0, {0, n})});
    // A point where no operation has a slope of 0, since a gradient of zero checks nothing.
    add("a scalar", {Array<double>(entry.points[entry.points.size() - 2][0])});
    return samples;
  }
  const auto both = [&](std::string label, const Shape& a, const Shape& b) {
    add(std::move(label), {points_of(entry, 0, a), points_of(entry, 1, b)});
  };
  both("two vectors", {n}, {n});
  both("nothing", {0, n}, {n});
  both("a row on the right", {2, n}, {n});
  both("a row on the left", {n}, {2, n});
  both("a column on the right", {2, n}, {2, 1});
  both("a column on the left", {2, 1}, {2, n});
  both("a column and a row", {2, 1}, {1, n});
  both("a scalar on the right", {n}, {});
  both("a scalar on the left", {}, {n});
  both("planes", {2, 1, n}, {3, 1});
  // In a choice between two scalars one of them has no effect, and its gradient of zero checks
  // nothing.
  if (entry.kinks.empty()) both("two scalars", {}, {});
  return samples;
}

std::vector<std::pair<Array<double>, Array<double>>> third_derivatives(const op::Sample& sample,
                                                                       std::size_t k) {
  Tape tape;
  std::vector<Tensor<double>> leaves;
  for (const auto& x : sample.inputs) leaves.push_back(tape.watch(x));
  const Tensor<double> x = leaves[k], y = sample.in_double(leaves);
  const Tensor<double> v = tape.watch(op::spread(y.shape(), 1.3));
  const Tensor<double> u = tape.watch(op::spread(x.shape(), 0.7));
  std::vector<GradientOf<double>> all(leaves.begin(), leaves.end());
  all.insert(all.end(), {u, v});
  const GradOptions recorded{.create_graph = true};
  const auto none = 0 * sum(x);  // for a gradient that is a constant
  const auto gradient = grad(y, {x}, recorded, &v)[0];
  const auto ju = grad(gradient, {v}, recorded, &u)[0];
  const auto second = [&](const Tensor<double>& vju) { return grad(vju + none, all, recorded); };
  const auto by_product = second(sum(ju * v)), by_gradient = second(sum(gradient * u));
  const auto third = [&](const std::vector<Tensor<double>>& parts) {
    Tensor<double> along = none;
    for (const auto& part : parts) along = along + sum(part * op::spread(part.shape(), 0.9));
    return grad(along, all, recorded);
  };
  const auto beyond_product = third(by_product), beyond_gradient = third(by_gradient);
  std::vector<std::pair<Array<double>, Array<double>>> pairs;
  for (std::size_t j = 0; j < all.size(); ++j) {
    pairs.emplace_back(by_product[j].array(), by_gradient[j].array());
    pairs.emplace_back(beyond_product[j].array(), beyond_gradient[j].array());
  }
  return pairs;
}

}  // namespace ebb::inline v0
