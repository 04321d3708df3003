// SPDX-License-Identifier: BSD-3-Clause
// hello, lse and llsq: functions of a number or a vector.
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "protocol.hpp"

namespace gradbench {
namespace {

using Y = ebb::Tensor<double>;

/// The functions `primal` and `gradient` of a function that is read from an input with its
/// argument.
template <class Read>
Module primal_and_gradient(Read read) {
  return {{"primal",
           [read](const Json& input) {
             auto [f, x] = read(input);
             return call([f = f, x = x] { return f(Y(x)); }, write_array);
           }},
          {"gradient", [read](const Json& input) {
             auto [f, x] = read(input);
             return call([f = f, x = x] { return ebb::gradient(f, x); }, write_array);
           }}};
}

/// The squares of the distances of a polynomial from the sign of t, at n points t from -1 to 1.
struct Polynomial {
  explicit Polynomial(std::int64_t n)
      : t(ebb::Array<double>::linspace(-1, 1, n)), s(sign(t).array()) {}

  Y operator()(const Y& x) const { return sum(square(s - matmul(vander(t, x.size()), x))) / 2; }

  ebb::Array<double> t, s;
};

}  // namespace

Module hello() {
  const auto square = [](const Y& x) { return x * x; };
  const auto read = [](const Json& input) { return ebb::Array<double>(input.get<double>()); };
  return {{"square",
           [=](const Json& input) {
             return call([=, x = read(input)] { return square(Y(x)); }, write_array);
           }},
          {"double", [=](const Json& input) {
             return call([=, x = read(input)] { return ebb::gradient(square, x); }, write_array);
           }}};
}

Module lse() {
  return primal_and_gradient([](const Json& input) {
    const auto f = [](const Y& x) {
      const Y highest = max(x).detach();
      return highest + log(sum(exp(x - highest)));
    };
    return std::pair(f, read_vector(input, "x"));
  });
}

Module llsq() {
  return primal_and_gradient([](const Json& input) {
    return std::pair(Polynomial(read_count(input, "n")), read_vector(input, "x"));
  });
}

}  // namespace gradbench
