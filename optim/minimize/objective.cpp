// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize/objective.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

template <class T>
void append(Vector& to, const Array<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}
template <class T>
Array<T> part_of(const Vector& x, std::int64_t first, const Shape& shape) {
  auto array = Array<T>::uninitialized(shape);
  T* const to = array.mutate();
  for (std::int64_t i = 0; i < array.size(); ++i) to[i] = T(x[std::size_t(first + i)]);
  return array;
}

/// The single value of a function. @throws ShapeError for another shape.
template <class T>
double single(const Tensor<T>& value) {
  if (value.size() != 1) {
    throw ShapeError("minimize: the function's value has shape " + to_string(value.shape()) +
                     " and is not a single value; of residuals, minimize the squares by "
                     "LevenbergMarquardt");
  }
  return double(value.item());
}

}  // namespace

Objective::~Objective() = default;

Vector Objective::hessian(const Vector& x) {
  Vector rows, unit(x.size(), 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    unit[i] = 1;
    const Vector row = hvp(x, unit);
    rows.insert(rows.end(), row.begin(), row.end());
    unit[i] = 0;
  }
  return rows;
}

template <Real T>
TensorObjective<T>::TensorObjective(Function f, Array<T> start)
    : f_(std::move(f)), start_(std::move(start)) {
  if (start_.empty()) throw ArgumentError("minimize: the start is an empty array handle");
}
template <Real T>
Vector TensorObjective<T>::start() const {
  return Vector(start_.begin(), start_.end());
}
template <Real T>
void TensorObjective<T>::round(Vector& x) const {
  if constexpr (sizeof(T) == 4) {
    for (double& e : x) e = double(T(e));
  }
}
template <Real T>
double TensorObjective<T>::epsilon() const {
  return double(std::numeric_limits<T>::epsilon());
}
template <Real T>
Array<T> TensorObjective<T>::array(const Vector& x) const {
  return part_of<T>(x, 0, start_.shape());
}
template <Real T>
double TensorObjective<T>::value(const Vector& x) {
  return single(f_(Tensor<T>(array(x))));
}
template <Real T>
double TensorObjective<T>::value_and_gradient(const Vector& x, Vector& gradient) {
  const auto both = ebb::value_and_gradient(f_, array(x));
  const Array<T> g = both.gradient.array();
  gradient.assign(g.begin(), g.end());
  return single(both.value);
}
template <Real T>
Vector TensorObjective<T>::hvp(const Vector& x, const Vector& v) {
  const Array<T> product = ebb::hvp(f_, array(x), array(v)).array();
  return Vector(product.begin(), product.end());
}
template <Real T>
Vector TensorObjective<T>::hessian(const Vector& x) {
  const auto flat = [&](const Tensor<T>& y) { return f_(reshape(y, start_.shape())); };
  const Array<T> rows = ebb::hessian(flat, part_of<T>(x, 0, Shape{std::int64_t(x.size())})).array();
  return Vector(rows.begin(), rows.end());
}
template class TensorObjective<float>;
template class TensorObjective<double>;

ModelObjective::ModelObjective(Loss loss, Parameters parameters)
    : loss_(std::move(loss)), parameters_(std::move(parameters)) {
  if (parameters_.empty()) {
    throw ArgumentError(
        "minimize: the model has no parameter; does its `each` name its Variables?");
  }
  const auto is_frozen = [](const Parameter& parameter) {
    return parameter.visit([](const auto& variable) { return variable.is_frozen(); });
  };
  if (std::ranges::all_of(parameters_, is_frozen)) {
    throw ArgumentError(
        "minimize: all parameters of the model are frozen; unfreeze() makes them trainable");
  }
}
Vector ModelObjective::start() const {
  Vector x;
  for (const Parameter& parameter : parameters_) {
    parameter.visit([&](const auto& variable) { append(x, variable.value()); });
  }
  return x;
}
void ModelObjective::round(Vector& x) const {
  std::size_t at = 0;
  for (const Parameter& parameter : parameters_) {
    const auto size = std::size_t(parameter.size());
    if (parameter.get<float>()) {
      for (std::size_t i = at; i < at + size; ++i) x[i] = double(float(x[i]));
    }
    at += size;
  }
}
double ModelObjective::epsilon() const {
  return loss_.narrow ? double(std::numeric_limits<float>::epsilon())
                      : std::numeric_limits<double>::epsilon();
}
void ModelObjective::set(const Vector& x) {
  std::int64_t at = 0;
  for (Parameter& parameter : parameters_) {
    parameter.visit([&]<class T>(Variable<T>& variable) {
      variable.set_value(part_of<T>(x, at, variable.shape()));
    });
    at += parameter.size();
  }
}
double ModelObjective::value(const Vector& x) {
  set(x);
  const NoRecord pause;
  return loss_.narrow ? single(loss_.narrow()) : single(loss_.wide());
}
double ModelObjective::value_and_gradient(const Vector& x, Vector& gradient) {
  set(x);
  const auto both = [&](const auto& loss) {
    Tape tape;
    const auto y = loss();
    const double value = single(y);
    for (Parameter& parameter : parameters_) parameter.zero_grad();
    backward(y);
    return value;
  };
  const double value = loss_.narrow ? both(loss_.narrow) : both(loss_.wide);
  if (std::ranges::none_of(parameters_, [](const Parameter& p) { return p.has_gradient(); })) {
    throw ArgumentError(
        "minimize: the loss depends on no parameter of the model; compute it from this model");
  }
  gradient.clear();
  for (Parameter& parameter : parameters_) {
    if (parameter.has_gradient()) {
      parameter.visit([&](const auto& variable) { append(gradient, variable.gradient()); });
    } else {
      gradient.insert(gradient.end(), std::size_t(parameter.size()), 0.0);
    }
    parameter.zero_grad();
  }
  return value;
}
Vector ModelObjective::hvp(const Vector& x, const Vector& v) {
  set(x);
  Vector product;
  const auto run = [&]<class T>(const std::function<Tensor<T>()>& loss) {
    std::vector<Variable<T>> variables;
    for (Parameter& parameter : parameters_) {
      if (auto* same = parameter.get<T>()) variables.push_back(same->share());
    }
    if (variables.size() != parameters_.size()) {
      throw ArgumentError(
          "minimize: a method that takes products with the Hessian needs parameters of the one "
          "element type of the loss");
    }
    Tape tape;
    std::vector<GradientOf<T>> inputs(variables.begin(), variables.end());
    const auto gradients = grad(loss(), inputs, {.create_graph = true});
    Tensor<T> along(Array<T>(T(0)));
    std::int64_t at = 0;
    for (std::size_t i = 0; i < variables.size(); ++i) {
      along = along + sum(gradients[i] * part_of<T>(v, at, variables[i].shape()));
      at += variables[i].size();
    }
    if (ebb::detail::Access::place(along).is_constant()) {
      product.assign(v.size(), 0);
      return;
    }
    for (const Tensor<T>& part : grad(along, inputs)) append(product, part.array());
  };
  loss_.narrow ? run(loss_.narrow) : run(loss_.wide);
  return product;
}

double NumberObjective::value_and_gradient(const Vector& x, Vector& gradient) {
  // The error of rounding, eps / h, and that of the third derivative, h^2, balance here.
  const double h = std::cbrt(epsilon()) * std::fmax(1, std::abs(x[0]));
  const double up = x[0] + h, down = x[0] - h;
  gradient.assign(1, (f_(up) - f_(down)) / (up - down));
  return f_(x[0]);
}
Vector NumberObjective::hvp(const Vector& x, const Vector& v) {
  const double h = std::pow(epsilon(), 0.25) * std::fmax(1, std::abs(x[0]));
  return {(f_(x[0] + h) - 2 * f_(x[0]) + f_(x[0] - h)) / (h * h) * v[0]};
}

double NegativeObjective::value_and_gradient(const Vector& x, Vector& gradient) {
  const double value = f_.value_and_gradient(x, gradient);
  for (double& e : gradient) e = -e;
  return -value;
}
Vector NegativeObjective::hvp(const Vector& x, const Vector& v) {
  Vector product = f_.hvp(x, v);
  for (double& e : product) e = -e;
  return product;
}

}  // namespace ebb::inline v0::optim::detail
