// SPDX-License-Identifier: BSD-3-Clause
// Minimising a whole function, by a method, until a condition holds:
//
//   auto f = [](auto x) { return sum(square(x - 3.0)); };
//   auto found = optim::minimize(f, Array<double>::of({0, 0}), optim::LBFGS{}, {.gradient = 1e-8});
//   std::cout << found.x << " " << found.value << " because " << found.reason << "\n";
//
// The function takes a tensor and returns a single value; for GaussNewton and LevenbergMarquardt it
// returns residuals, and what is minimised is half the sum of their squares. CoordinateDescent
// takes a Lasso or an L1Quadratic, of ebb/optim/lasso.hpp, in the place of a function. Whatever the
// reason of the end, x is a point where the value is finite, unless the start was none.
#pragma once
#include <concepts>
#include <type_traits>
#include <utility>

#include "ebb/optim/minimize/coordinate_descent.hpp"
#include "ebb/optim/minimize/least_squares.hpp"
#include "ebb/optim/minimize/methods.hpp"
#include "ebb/optim/minimize/projections.hpp"

namespace ebb::inline v0::optim {

namespace detail {

template <class M>
concept FitsResiduals = std::same_as<M, GaussNewton> || std::same_as<M, LevenbergMarquardt>;
template <class M>
concept FitsCoordinates = std::same_as<M, CoordinateDescent>;
template <class M>
concept HasMethod = FitsResiduals<M> || FitsCoordinates<M> || requires(const M& method, Run& run) {
  descend(method, run);
};
/// A quadratic with an l1 penalty, which is no function of a tensor: a Lasso or an L1Quadratic.
template <class F>
concept HasL1 = requires(const std::remove_cvref_t<F>& f) {
  f.objective(f.start());
};

/// The type of the one argument of a function that is not generic; void for others.
template <class F>
struct ArgumentOf {
  template <class C, class R, class A>
  static A of(R (C::*)(A) const);
  template <class C, class R, class A>
  static A of(R (C::*)(A));
  static auto type() {
    if constexpr (requires { of(&F::operator()); }) {
      return std::type_identity<decltype(of(&F::operator()))>{};
    } else {
      return std::type_identity<void>{};
    }
  }
};
template <class R, class A>
struct ArgumentOf<R (*)(A)> {
  static std::type_identity<A> type();
};
/// A function of a plain number; a generic lambda takes tensors.
template <class F>
concept TakesNumber = std::is_arithmetic_v<
    std::remove_cvref_t<typename decltype(ArgumentOf<std::decay_t<F>>::type())::type>>;

/// A function of an Array, through which no gradient passes.
template <class F,
          class A =
              std::remove_cvref_t<typename decltype(ArgumentOf<std::decay_t<F>>::type())::type>>
concept TakesArray = std::same_as<A, Array<float>> || std::same_as<A, Array<double>>;

/// Whether a function takes nothing and returns a tensor.
template <class F>
constexpr bool is_loss = requires(F& f) {
  f().item();
};
/// The concepts, of which a compiler that finds them false says no more.
template <class F>
constexpr bool takes_array = TakesArray<F>;
template <class M>
constexpr bool has_method = HasMethod<M>;
template <class F, class M>
constexpr bool has_fitting_method = HasL1<F> == FitsCoordinates<M>;

#define EBB_METHODS(X) \
  X(GradientDescent)   \
  X(Subgradient)       \
  X(ConjugateGradient) \
  X(BFGS) X(LBFGS) X(Newton) X(NewtonCG) X(TrustRegion) X(ProjectedGradient) X(ProximalGradient)
#define EBB_DECLARE(M) \
  EBB_API Outcome run(const M& method, Objective& f, const Stop& stop, const Watch& watch);
EBB_METHODS(EBB_DECLARE)
#undef EBB_DECLARE
template <Real T>
EBB_API Outcome run(const GaussNewton& method, ResidualObjective<T>& f, const Stop& stop,
                    const Watch& watch);
template <Real T>
EBB_API Outcome run(const LevenbergMarquardt& method, ResidualObjective<T>& f, const Stop& stop,
                    const Watch& watch);

EBB_API Outcome run(const CoordinateDescent& method, L1Objective& f, const Stop& stop,
                    const Watch& watch);

/// An outcome with points of the element type and shape of the start.
template <Real T>
EBB_API Minimum<T> minimum(Outcome outcome, const Shape& shape);

/// Runs, and sets the model to where that has come to; or, after an error, to where it was.
EBB_API Minimum<double> of_model(ModelObjective& objective, const std::function<Outcome()>& run);

template <class Method>
EBB_INLINE void refuse_method() {
  static_assert(has_method<Method>,
                "minimize: this is no method; take one of ebb/optim/minimize: LBFGS{}, "
                "GradientDescent{}, ...; a rule, such as Adam, belongs into an Optimizer");
}
template <class F, class Method>
EBB_INLINE void refuse_pair() {
  static_assert(
      has_fitting_method<F, Method>,
      "minimize: a Lasso or an L1Quadratic, of ebb/optim/lasso.hpp, and CoordinateDescent "
      "are made for each other; for ProximalGradient give smooth_part() and penalty()");
}

}  // namespace detail

/// Minimises f, a function of a tensor, from a start, whose shape and element type x keeps.
/// @throws ArgumentError for options out of their ranges; ShapeError unless f returns a single
/// value.
template <class F, Real T, class Method>
Minimum<T> minimize(F&& f, const Array<T>& start, const Method& method, const Stop& stop = {},
                    const Watch& watch = {}) {
  if constexpr (detail::TakesArray<F>) {
    static_assert(!detail::takes_array<F>,
                  "minimize: no gradient passes through an Array; let the function take a Tensor, "
                  "or const auto&");
    return {};
  } else if constexpr (!detail::HasMethod<Method>) {
    detail::refuse_method<Method>();
    return {};
  } else if constexpr (detail::HasL1<F> != detail::FitsCoordinates<Method>) {
    detail::refuse_pair<F, Method>();
    return {};
  } else if constexpr (detail::FitsCoordinates<Method>) {
    const auto objective = f.objective(start);
    return detail::minimum<T>(detail::run(method, *objective, stop, watch), start.shape());
  } else if constexpr (detail::FitsResiduals<Method>) {
    detail::ResidualObjective<T> objective([&f](const Tensor<T>& x) { return f(x); }, start);
    return detail::minimum<T>(detail::run(method, objective, stop, watch), start.shape());
  } else {
    detail::TensorObjective<T> objective([&f](const Tensor<T>& x) { return f(x); }, start);
    return detail::minimum<T>(detail::run(method, objective, stop, watch), start.shape());
  }
}

template <class F, Real T, class Method>
Minimum<T> minimize(F&& f, const Tensor<T>& start, const Method& method, const Stop& stop = {},
                    const Watch& watch = {}) {
  return minimize(std::forward<F>(f), start.array(), method, stop, watch);
}

/// Minimises a function of a number. If f takes tensors, as a generic lambda does, its derivatives
/// are exact; the derivatives of a plain `double f(double)` are central differences, right to about
/// ten digits.
template <class F, class Method>
Minimum<double> minimize(F&& f, double start, const Method& method, const Stop& stop = {},
                         const Watch& watch = {}) {
  if constexpr (!detail::HasMethod<Method>) {
    detail::refuse_method<Method>();
    return {};
  } else if constexpr (detail::FitsCoordinates<Method>) {
    detail::refuse_pair<F, Method>();
    return {};
  } else if constexpr (!detail::TakesNumber<F>) {
    return minimize(std::forward<F>(f), Array<double>(start), method, stop, watch);
  } else {
    static_assert(!detail::FitsResiduals<Method>, "minimize: residuals are a function of a tensor");
    detail::NumberObjective objective(std::ref(f), start);
    return detail::minimum<double>(detail::run(method, objective, stop, watch), Shape());
  }
}

/// Maximises f: the value and the gradient of the result are those of f.
template <class F, class Start, class Method>
auto maximize(F&& f, const Start& start, const Method& method, const Stop& stop = {},
              const Watch& watch = {}) {
  static_assert(!detail::FitsResiduals<Method>, "maximize: squares have no maximum");
  auto found = minimize([&f](const auto& x) { return -f(x); }, start, method, stop, watch);
  found.value = -found.value;
  return found;
}

/// Minimises a loss over all parameters of a model, of either element type, which have the result
/// at the end. `loss` takes nothing and returns the loss of the whole data. Gradients are absent
/// afterwards. x of the result holds all parameters, one after the other.
/// @throws ArgumentError for a method that needs second derivatives where the parameters are not
/// all of the element type of the loss.
template <HasParts M, class Loss, class Method>
Minimum<double> minimize(M& model, Loss&& loss, const Method& method, const Stop& stop = {},
                         const Watch& watch = {}) {
  static_assert(!detail::FitsResiduals<Method>,
                "minimize: residuals are minimised as a function of a tensor, not of a model");
  if constexpr (!detail::HasMethod<Method>) {
    detail::refuse_method<Method>();
    return {};
  } else if constexpr (detail::FitsCoordinates<Method>) {
    detail::refuse_pair<M, Method>();
    return {};
  } else {
    static_assert(
        detail::is_loss<Loss>,
        "minimize: the loss of a model takes nothing and returns a tensor, not its item(): "
        "[&] { return mse_loss(model(x), y); }");
    if constexpr (detail::is_loss<Loss>) {
      using T = typename std::invoke_result_t<Loss&>::value_type;
      detail::ModelObjective::Loss both;
      if constexpr (std::same_as<T, float>) {
        both.narrow = std::ref(loss);
      } else {
        both.wide = std::ref(loss);
      }
      detail::ModelObjective objective(std::move(both), parameters(model));
      return detail::of_model(objective,
                              [&] { return detail::run(method, objective, stop, watch); });
    } else {
      return {};
    }
  }
}

/// Maximises a function over all parameters of a model.
template <HasParts M, class Loss, class Method>
Minimum<double> maximize(M& model, Loss&& loss, const Method& method, const Stop& stop = {},
                         const Watch& watch = {}) {
  auto found = minimize(
      model, [&loss] { return -loss(); }, method, stop, watch);
  found.value = -found.value;
  return found;
}

}  // namespace ebb::inline v0::optim
