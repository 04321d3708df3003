// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize/design.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebb/autodiff/kernels/blas.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

double dot(const double* a, const double* b, std::int64_t n) {
  return detail::dot(a, b, std::size_t(n));
}

/// Takes the mean away and returns it. What is left of equal numbers is 0, without rounding.
double centre(double* x, std::int64_t n) {
  double mean = 0;
  for (std::int64_t i = 0; i < n; ++i) mean += x[i];
  mean /= double(n);
  if (std::all_of(x, x + n, [&](double e) { return e == x[0]; })) mean = x[0];
  for (std::int64_t i = 0; i < n; ++i) x[i] -= mean;
  return mean;
}

}  // namespace

Design::Design(const Array<double>& x, const Array<double>& targets, bool intercept)
    : rows(x.shape()[0]), size(x.shape()[1]), y(targets.reshape({rows})), y_mean(0) {
  columns = Array<double>::uninitialized({size, rows});
  double* const to = columns.mutate();
  constexpr std::int64_t tile = 16;  // a transpose in which neighbours share cache lines
  for (std::int64_t i = 0; i < rows; i += tile) {
    for (std::int64_t j = 0; j < size; ++j) {
      for (std::int64_t k = i; k < std::min(i + tile, rows); ++k)
        to[j * rows + k] = x.data()[k * size + j];
    }
  }
  means.assign(std::size_t(size), 0);
  if (intercept) {
    for (std::int64_t j = 0; j < size; ++j) means[std::size_t(j)] = centre(to + j * rows, rows);
    y_mean = centre(y.mutate(), rows);
  }
  const auto n = double(rows);
  for (std::size_t j = 0; j < std::size_t(size); ++j) {
    squares.push_back(dot(column(j), column(j), rows) / n);
    correlations.push_back(dot(column(j), y.data(), rows) / n);
  }
  square = dot(y.data(), y.data(), rows) / n;
}

DesignObjective::DesignObjective(std::shared_ptr<const Design> design, Vector start)
    : design_(std::move(design)), start_(std::move(start)) {
  residual_ = Array<double>::uninitialized({design_->rows});
  products_ = Array<double>::uninitialized({design_->size});
}

void DesignObjective::set_strength(double strength, double ratio) {
  l1_ = strength * ratio;
  l2_ = strength * (1 - ratio);
}

void DesignObjective::set_residual(const Vector& w) {
  const std::int64_t n = design_->rows;
  double* const r = residual_.mutate();
  std::copy(design_->y.begin(), design_->y.end(), r);
  std::vector<std::size_t> support;
  for (std::size_t j = 0; j < w.size(); ++j)
    if (w[j] != 0) support.push_back(j);
  std::size_t s = 0;
  for (; s + 4 <= support.size(); s += 4) {  // four at a time: r is written less often
    const double* x[4];
    double f[4];
    for (std::size_t k = 0; k < 4; ++k) {
      x[k] = design_->column(support[s + k]);
      f[k] = w[support[s + k]];
    }
    for (std::int64_t i = 0; i < n; ++i)
      r[i] -= (f[0] * x[0][i] + f[1] * x[1][i]) + (f[2] * x[2][i] + f[3] * x[3][i]);
  }
  for (; s < support.size(); ++s) move(support[s], w[support[s]]);
}

double DesignObjective::value(const Vector& w) {
  set_residual(w);
  return dot(residual_.data(), residual_.data(), design_->rows) / (2 * double(design_->rows)) +
         l2_ / 2 * detail::dot(w, w);
}

double DesignObjective::value_and_gradient(const Vector& w, Vector& gradient) {
  const double v = value(w);
  const std::int64_t n = design_->rows, d = design_->size;
  gradient.resize(w.size());
  if (std::all_of(w.begin(), w.end(), [](double e) { return e == 0; })) {  // known from before
    for (std::size_t j = 0; j < w.size(); ++j) gradient[j] = -design_->correlations[j];
    return v;
  }
  ebb::detail::product<double>(false, false, d, 1, n, design_->columns.data(), residual_.data(),
                               products_.mutate(), false);
  for (std::size_t j = 0; j < w.size(); ++j)
    gradient[j] = l2_ * w[j] - products_[std::int64_t(j)] / double(n);
  return v;
}

Vector DesignObjective::hvp(const Vector&, const Vector& v) {
  Vector zero(v.size(), 0), at_v, at_zero;
  value_and_gradient(v, at_v);
  value_and_gradient(zero, at_zero);
  add(at_v, -1, at_zero);
  return at_v;
}

double DesignObjective::slope(std::size_t j, const Vector& w) {
  return dot(design_->column(j), residual_.data(), design_->rows) / double(design_->rows) -
         l2_ * w[j];
}

void DesignObjective::move(std::size_t j, double change) {
  double* const r = residual_.mutate();
  const double* const x = design_->column(j);
  for (std::int64_t i = 0; i < design_->rows; ++i) r[i] -= change * x[i];
}

void DesignObjective::grow(std::int64_t capacity) {
  const std::int64_t n = design_->rows;
  auto columns = Array<double>::uninitialized({capacity, n});
  auto products = Array<double>::uninitialized({capacity, capacity});
  std::copy_n(known_columns_.begin(), count_ * n, columns.mutate());
  for (std::int64_t i = 0; i < count_; ++i)
    std::copy_n(known_.begin() + i * capacity_, count_, products.mutate() + i * capacity);
  known_columns_ = std::move(columns);
  known_ = std::move(products);
  capacity_ = capacity;
}

void DesignObjective::learn(std::span<const std::size_t> members) {
  place_.resize(std::size_t(design_->size), -1);
  std::vector<std::size_t> fresh;
  for (const std::size_t j : members)
    if (place_[j] < 0) fresh.push_back(j);
  if (fresh.empty()) return;
  const std::int64_t n = design_->rows, before = count_, added = std::int64_t(fresh.size());
  const std::int64_t count = before + added;
  if (count > capacity_) grow(std::clamp(2 * capacity_, count, std::int64_t(2 * most_in_block)));
  double* const columns = known_columns_.mutate();
  for (const std::size_t j : fresh) {
    place_[j] = count_;
    std::copy_n(design_->column(j), n, columns + count_++ * n);
  }
  auto products = Array<double>::uninitialized({added, count});
  ebb::detail::gemm<double>(false, true, added, count, n, columns + before * n, columns,
                            products.mutate(), false);
  double* const known = known_.mutate();
  for (std::int64_t i = 0; i < added; ++i) {
    for (std::int64_t j = 0; j < count; ++j) {
      const double product = products[i * count + j] / double(n);
      known[(before + i) * capacity_ + j] = product;
      known[j * capacity_ + before + i] = product;
    }
  }
}

Vector DesignObjective::block(std::span<const std::size_t> members) {
  const std::size_t k = members.size();
  if (k > most_in_block) return {};
  if (std::size_t(count_) + k > 2 * most_in_block) {  // forget those of other strengths
    place_.clear();
    count_ = 0;
  }
  learn(members);
  Vector block(k * k);
  for (std::size_t i = 0; i < k; ++i) {
    const double* const row = known_.data() + place_[members[i]] * capacity_;
    for (std::size_t m = 0; m < k; ++m) block[i * k + m] = row[place_[members[m]]];
    block[i * k + i] = curvature(members[i]);
  }
  return block;
}

double DesignObjective::gap(const Point& at) const {
  const auto n = double(design_->rows);
  const double* const r = residual_.data();
  double sum = 0, square = 0, steepest = 0, apart = 0;
  for (std::size_t j = 0; j < at.x.size(); ++j) {
    const double w = at.x[j], c = l2_ * w - at.gradient[j];  // c = x_j . r / n
    sum += std::abs(w);
    square += w * w;
    steepest = std::fmax(steepest, std::abs(at.gradient[j]));
    const double over = std::fmax(std::abs(c) - l1_, 0);
    apart += l1_ * std::abs(w) + l2_ / 2 * w * w - w * c + (l2_ > 0 ? over * over / (2 * l2_) : 0);
  }
  // The dual point is a multiple of the residual, to which ridge adds sqrt(n l2) w.
  const double rr = dot(r, r, design_->rows) / n + l2_ * square;
  const double ry = dot(r, design_->y.data(), design_->rows) / n;
  const double most = steepest > 0 ? l1_ / steepest : std::numeric_limits<double>::infinity();
  const double scale = rr > 0 ? std::clamp(ry / rr, -most, most) : 0;
  const double scaled = rr / 2 + l1_ * sum - scale * (ry - scale * rr / 2);
  // With ridge every point is allowed, and each weight has a gap of its own (Fenchel and Young).
  const double gap = l2_ > 0 ? std::fmin(scaled, apart) : scaled;
  return gap < 0 ? 0 : gap;
}

double DesignObjective::relative_gap(const Point& at) {
  const double above = gap(at), whole = design_->square / 2;
  return above == 0 ? 0 : above / whole;
}

MatrixObjective::MatrixObjective(Array<double> a, Array<double> b, double l1, Vector start)
    : a_(std::move(a)), b_(std::move(b)), l1_(l1), start_(std::move(start)) {}

double MatrixObjective::value(const Vector& x) {
  Vector gradient;
  return value_and_gradient(x, gradient);
}

double MatrixObjective::value_and_gradient(const Vector& x, Vector& gradient) {
  gradient = hvp(x, x);
  double value = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double b = b_[std::int64_t(j)];
    value += x[j] * (gradient[j] / 2 - b);
    gradient[j] -= b;
  }
  return value;
}

Vector MatrixObjective::hvp(const Vector&, const Vector& v) {
  Vector product(v.size());
  const std::int64_t d = b_.size();
  for (std::int64_t j = 0; j < d; ++j)
    product[std::size_t(j)] = dot(a_.data() + j * d, v.data(), d);
  return product;
}

Vector MatrixObjective::block(std::span<const std::size_t> members) {
  const std::size_t k = members.size();
  if (k > 2048) return {};  // a copy of so much would be slower than the rows as they are
  Vector block(k * k);
  for (std::size_t i = 0; i < k; ++i) {
    const double* const row = a_.data() + std::int64_t(members[i]) * b_.size();
    for (std::size_t m = 0; m < k; ++m) block[i * k + m] = row[members[m]];
  }
  return block;
}

double MatrixObjective::slope(std::size_t j, const Vector& x) {
  return b_[std::int64_t(j)] - dot(a_.data() + std::int64_t(j) * b_.size(), x.data(), b_.size());
}

}  // namespace ebb::inline v0::optim::detail
