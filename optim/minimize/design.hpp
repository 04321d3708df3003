// SPDX-License-Identifier: BSD-3-Clause
// The quadratics with an l1 penalty: of the rows of a design, and of a matrix.
#pragma once
#include <memory>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/optim/minimize/coordinate_descent.hpp"

namespace ebb::inline v0::optim::detail {

/// Features and targets in double, without their means if there is an intercept.
struct Design {
  /// x (rows, size), y of as many numbers as rows.
  Design(const Array<double>& x, const Array<double>& y, bool intercept);

  std::int64_t rows, size;
  Array<double> columns;  ///< (size, rows)
  Array<double> y;        ///< (rows,)
  Vector means;           ///< each column's mean; 0 without an intercept
  double y_mean;
  Vector squares;       ///< |x_j|^2 / rows
  Vector correlations;  ///< x_j . y / rows
  double square;        ///< |y|^2 / rows

  const double* column(std::size_t j) const { return columns.data() + std::int64_t(j) * rows; }
};

/// |y - x w|^2 / (2 rows) + l2 / 2 |w|^2, and an l1 penalty.
class DesignObjective : public L1Objective {
 public:
  /// More columns than this are swept by residual updates: the matrix of their products would take
  /// longer to make than it saves, and much memory. Twice as many are remembered.
  std::size_t most_in_block = 2048;

  DesignObjective(std::shared_ptr<const Design> design, Vector start);
  void set_strength(double strength, double ratio);
  void set_start(Vector start) { start_ = std::move(start); }
  /// A bound of how much the value at a point, which was evaluated last, is above the minimum.
  double gap(const Point& at) const;

  Vector start() const override { return start_; }
  void round(Vector&) const override {}
  double epsilon() const override { return std::numeric_limits<double>::epsilon(); }
  double value(const Vector& w) override;
  double value_and_gradient(const Vector& w, Vector& gradient) override;
  Vector hvp(const Vector& w, const Vector& v) override;
  double l1() const override { return l1_; }
  double curvature(std::size_t j) const override { return design_->squares[j] + l2_; }
  Vector block(std::span<const std::size_t> members) override;
  double slope(std::size_t j, const Vector& w) override;
  void move(std::size_t j, double change) override;
  double relative_gap(const Point& at) override;

 private:
  /// residual_ = y - x w.
  void set_residual(const Vector& w);
  /// Computes the products of columns that are not known yet with all others that are.
  void learn(std::span<const std::size_t> members);
  /// Makes room for so many known columns.
  void grow(std::int64_t capacity);

  std::shared_ptr<const Design> design_;
  Vector start_;
  double l1_ = 0, l2_ = 0;
  Array<double> residual_, products_;
  // Arrays, whose memory serves again where another minimisation follows.
  std::vector<std::int64_t> place_;  // of each column among those that are known, or -1
  Array<double> known_columns_;      // (capacity, rows)
  Array<double> known_;              // (capacity, capacity): their products x_i . x_j / rows
  std::int64_t count_ = 0, capacity_ = 0;
};

/// x . a x / 2 - b . x, and an l1 penalty.
class MatrixObjective : public L1Objective {
 public:
  MatrixObjective(Array<double> a, Array<double> b, double l1, Vector start);

  Vector start() const override { return start_; }
  void round(Vector&) const override {}
  double epsilon() const override { return std::numeric_limits<double>::epsilon(); }
  double value(const Vector& x) override;
  double value_and_gradient(const Vector& x, Vector& gradient) override;
  Vector hvp(const Vector& x, const Vector& v) override;
  double l1() const override { return l1_; }
  double curvature(std::size_t j) const override {
    return a_[std::int64_t(j) * b_.size() + std::int64_t(j)];
  }
  Vector block(std::span<const std::size_t> members) override;
  double slope(std::size_t j, const Vector& x) override;
  void move(std::size_t, double) override {}
  double relative_gap(const Point&) override { return std::numeric_limits<double>::infinity(); }

 private:
  Array<double> a_, b_;
  double l1_;
  Vector start_;
};

}  // namespace ebb::inline v0::optim::detail
