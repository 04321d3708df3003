// SPDX-License-Identifier: BSD-3-Clause
// What a method sees of a function: its value and derivatives at vectors of double.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/parts.hpp"
#include "ebb/optim/minimize/vectors.hpp"

namespace ebb::inline v0::optim::detail {

/// A function to be minimised. Points are of double, rounded to the element type of the function.
class EBB_API Objective {
 public:
  virtual ~Objective();

  virtual Vector start() const = 0;
  /// Rounds a point to the numbers that the function can take.
  virtual void round(Vector& x) const = 0;
  /// The distance from 1 to the next number that the function can return.
  virtual double epsilon() const = 0;

  virtual double value(const Vector& x) = 0;
  virtual double value_and_gradient(const Vector& x, Vector& gradient) = 0;
  /// The product of the Hessian and v.
  virtual Vector hvp(const Vector& x, const Vector& v) = 0;
  /// The Hessian, row by row; by default from products with the unit vectors.
  virtual Vector hessian(const Vector& x);
};

/// A function of a tensor.
template <Real T>
class EBB_API TensorObjective : public Objective {
 public:
  using Function = ebb::detail::FunctionOf<T>;

  TensorObjective(Function f, Array<T> start);
  Vector start() const override;
  void round(Vector& x) const override;
  double epsilon() const override;
  double value(const Vector& x) override;
  double value_and_gradient(const Vector& x, Vector& gradient) override;
  Vector hvp(const Vector& x, const Vector& v) override;
  Vector hessian(const Vector& x) override;

  Array<T> array(const Vector& x) const;

 private:
  Function f_;
  Array<T> start_;
};

/// A loss as a function of all parameters of a model, which it sets. They may be of both types.
class EBB_API ModelObjective : public Objective {
 public:
  /// The loss as a single value, of either type, recorded.
  struct Loss {
    std::function<Tensor<float>()> narrow;
    std::function<Tensor<double>()> wide;
  };
  ModelObjective(Loss loss, Parameters parameters);
  Vector start() const override;
  void round(Vector& x) const override;
  double epsilon() const override;
  double value(const Vector& x) override;
  double value_and_gradient(const Vector& x, Vector& gradient) override;
  Vector hvp(const Vector& x, const Vector& v) override;
  /// Sets the parameters to a point.
  void set(const Vector& x);

 private:
  Loss loss_;
  Parameters parameters_;
};

/// A plain function of a number, with central differences.
class EBB_API NumberObjective : public Objective {
 public:
  NumberObjective(std::function<double(double)> f, double start)
      : f_(std::move(f)), start_(start) {}
  Vector start() const override { return {start_}; }
  void round(Vector&) const override {}
  double epsilon() const override { return std::numeric_limits<double>::epsilon(); }
  double value(const Vector& x) override { return f_(x[0]); }
  double value_and_gradient(const Vector& x, Vector& gradient) override;
  Vector hvp(const Vector& x, const Vector& v) override;

 private:
  std::function<double(double)> f_;
  double start_;
};

/// The negative of another one, for ascent.
class EBB_API NegativeObjective : public Objective {
 public:
  explicit NegativeObjective(Objective& f) : f_(f) {}
  Vector start() const override { return f_.start(); }
  void round(Vector& x) const override { f_.round(x); }
  double epsilon() const override { return f_.epsilon(); }
  double value(const Vector& x) override { return -f_.value(x); }
  double value_and_gradient(const Vector& x, Vector& gradient) override;
  Vector hvp(const Vector& x, const Vector& v) override;

 private:
  Objective& f_;
};

}  // namespace ebb::inline v0::optim::detail
