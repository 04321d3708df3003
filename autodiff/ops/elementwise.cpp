// SPDX-License-Identifier: BSD-3-Clause
// The elementwise operations by name: one constant and one function each.
#include "ebb/autodiff/formula/elementwise.hpp"

#include "ebb/autodiff/engine/map.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/elementwise_call.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

template <class O>
constexpr O stateless{};

template <class O, class T>
Tensor<T> unary_on_tensors(const void* formula, std::span<const Tensor<T>> in) {
  const O& f = std::is_empty_v<O> ? stateless<O> : *static_cast<const O*>(formula);
  constexpr unsigned reads = op::unary_reads<O>;
  // A value that is not read may be anything.
  const Tensor<T>& x = reads & 1U ? in[1] : in[0];
  const Tensor<T>& y = reads & 2U ? in[reads & 1U ? 2 : 1] : in[0];
  return op::pull(f, in[0], x, y);
}

template <class O, int side, class T>
Tensor<T> binary_on_tensors(const void*, std::span<const Tensor<T>> in) {
  constexpr unsigned reads = op::binary_reads<O, side>;
  static_assert(__builtin_popcount(reads) <= 2, "a slope reads at most two of a, b and y");
  const auto at = [&](int k) -> const Tensor<T>& {
    return reads >> k & 1U ? in[std::size_t(1 + __builtin_popcount(reads & ((1U << k) - 1)))]
                           : in[0];
  };
  return op::pull<side>(O{}, in[0], at(0), at(1), at(2));
}

template <class O, class T>
constexpr PullOp<T> unary_pull{{.name = O::name,
                                .vjp = &vjp_pull<T>,
                                .attribute_block = !std::is_empty_v<O>,
                                .is_double = sizeof(T) == 8,
                                .elementwise = true,
                                .directions = &directions_of_pull_node<T>},
                               op::index_in<O>(op::Unary{}),
                               -1,
                               op::unary_reads<O>,
                               &unary_on_tensors<O, T>};
template <class O, class T>
constexpr MapOp<T> unary_op{{.name = O::name,
                             .vjp = &vjp_map<T, 1>,
                             .attribute_block = !std::is_empty_v<O>,
                             .is_double = sizeof(T) == 8,
                             .elementwise = true,
                             .directions = &directions_of_map<T, 1>},
                            op::index_in<O>(op::Unary{}),
                            {op::unary_reads<O>, 0},
                            {op::unary_literal<O>(), 0},
                            {&unary_pull<O, T>, nullptr}};

template <class O, int side, class T>
constexpr PullOp<T> binary_pull{{.name = O::name,
                                 .vjp = &vjp_pull<T>,
                                 .is_double = sizeof(T) == 8,
                                 .elementwise = true,
                                 .directions = &directions_of_pull_node<T>},
                                op::index_in<O>(op::Binary{}),
                                side,
                                op::binary_reads<O, side>,
                                &binary_on_tensors<O, side, T>};
template <class O, class T>
constexpr MapOp<T> binary_op{{.name = O::name,
                              .vjp = &vjp_map<T, 2>,
                              .is_double = sizeof(T) == 8,
                              .elementwise = true,
                              .directions = &directions_of_map<T, 2>},
                             op::index_in<O>(op::Binary{}),
                             {op::binary_reads<O, 0>, op::binary_reads<O, 1>},
                             {op::binary_literal<O, 0>(), op::binary_literal<O, 1>()},
                             {&binary_pull<O, 0, T>, &binary_pull<O, 1, T>}};

/// Says why the parameters of an operation are wrong, in words and numbers.
template <class O>
constexpr auto refuse = [](const auto&... why) {
  const auto text = [](const auto& part) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(part)>>) {
      return detail::to_text(double(part));
    } else {
      return std::string(part);
    }
  };
  throw ArgumentError(std::string(O::name) + ": " + (text(why) + ...));
};

}  // namespace

template <Real T, class O>
Tensor<T> call_unary(const O& formula, const Operand<T>& x) {
  if constexpr (requires { formula.validate(refuse<O>); }) formula.validate(refuse<O>);
  return unary<T>(unary_op<O, T>, x, FormulaState::of(formula));
}
template <Real T, class O>
Tensor<T> call_binary(const O&, const Operand<T>& a, const Operand<T>& b) {
  return binary<T>(binary_op<O, T>, a, b);
}

}  // namespace detail

#define EBB_UNARY(f, O, ...)                                                                     \
  template <Real T>                                                                              \
  Tensor<T> f(EBB_PARAMETERS_BEFORE(__VA_ARGS__)                                                 \
                  const Operand<T>& x EBB_PARAMETERS_BEHIND(__VA_ARGS__)) {                      \
    return detail::call_unary(op::O{EBB_PARAMETERS(__VA_ARGS__)}, x);                            \
  }                                                                                              \
  EBB_OVERLOAD_FOR_REALS(f, Tensor<T>(EBB_PARAMETERS_BEFORE(__VA_ARGS__)                         \
                                          const Operand<T>& EBB_PARAMETERS_BEHIND(__VA_ARGS__))) \
  EBB_OVERLOAD_FOR_REALS(detail::call_unary, Tensor<T>(const op::O&, const Operand<T>&))
EBB_UNARY_OPERATIONS(EBB_UNARY)
#undef EBB_UNARY

#define EBB_BINARY(f, O)                                                     \
  template <Real T>                                                          \
  Tensor<T> f(const Operand<T>& a, const Operand<T>& b) {                    \
    return detail::call_binary(op::O{}, a, b);                               \
  }                                                                          \
  EBB_OVERLOAD_FOR_REALS(f, Tensor<T>(const Operand<T>&, const Operand<T>&)) \
  EBB_OVERLOAD_FOR_REALS(detail::call_binary,                                \
                         Tensor<T>(const op::O&, const Operand<T>&, const Operand<T>&))
EBB_BINARY_OPERATIONS(EBB_BINARY)
#undef EBB_BINARY

}  // namespace ebb::inline v0
