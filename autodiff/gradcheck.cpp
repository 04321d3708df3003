// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <locale>
#include <ostream>
#include <sstream>

#include "ebb/autodiff/engine/record.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0 {
namespace {

using Arrays = std::vector<Array<double>>;

/// Numbers of both signs with absolute values from 0.5 to 1.5: none is small enough to hide a term.
Array<double> random_like(const Shape& shape, Stream& stream) {
  auto values = Array<double>::uninitialized(shape);
  double* v = values.mutate();
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    v[i] = (0.5 + stream.uniform()) * (stream.next() & 1U ? 1 : -1);
  }
  return values;
}

double dot(const Array<double>& a, const Array<double>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double largest(const Array<double>& x) {
  double m = 0;
  for (double v : x) m = std::max(m, std::abs(v));
  return m;
}

/// One order of the check, for a function of several arrays and its gradient in an output
/// direction.
class Check {
 public:
  Check(const TensorFunction<double>& f, const Arrays& at, const GradientCheckOptions& options,
        int order, GradientReport& report)
      : f_(f), at_(at), options_(options), order_(order), report_(report), stream_(options.seed) {}

  void run() {
    const Array<double> y = value(at_);
    if (!std::isfinite(dot(y, y))) return fail("the function is not finite at the inputs");
    std::int64_t size = 0;
    for (const auto& x : at_) size += x.size();
    if (size * std::max<std::int64_t>(1, y.size()) <= options_.full_jacobian) {
      entry_by_entry(y);
    } else {
      by_projections(y);
    }
    // Without an input element and an output element there is nothing to check.
    const std::int64_t directions = order_ == 2 ? at_.back().size() : 0;
    if (report_.passed && y.size() > 0 && size > directions && (order_ == 1 || directions > 0)) {
      check_that_something_was_checked();
    }
  }

 private:
  Array<double> value(const Arrays& x) const {
    std::vector<Tensor<double>> in(x.begin(), x.end());
    return f_(in).array();
  }

  /// The gradients of <f(x), direction>, computed by a sweep.
  Arrays swept(const Array<double>& direction) const {
    Tape tape;
    std::vector<Tensor<double>> in;
    for (const auto& x : at_) in.push_back(tape.watch(x));
    const Tensor<double> y = f_(in);
    std::vector<GradientOf<double>> wanted(in.begin(), in.end());
    Arrays gradients;
    if (detail::Access::place(y).is_constant()) {
      for (const auto& x : at_) gradients.push_back(Array<double>::zeros(x.shape()));
      return gradients;
    }
    const Tensor<double> seed(direction);
    for (const auto& g : grad(y, wanted, {}, &seed)) gradients.push_back(g.array());
    return gradients;
  }

  /// f at x + t * v, where v changes only input `input`: one element of it, or all.
  Array<double> moved(std::size_t input, std::int64_t element, const Arrays* directions,
                      double t) const {
    Arrays x = at_;
    if (directions) {
      for (std::size_t k = 0; k < x.size(); ++k) {
        double* v = x[k].mutate();
        for (std::int64_t i = 0; i < x[k].size(); ++i) v[i] += t * (*directions)[k][i];
      }
    } else {
      x[input].mutate()[element] += t;
    }
    return value(x);
  }

  /// Central differences, extrapolated: (4 D(h/2) - D(h)) / 3.
  Array<double> difference(std::size_t input, std::int64_t element, const Arrays* directions,
                           double h) const {
    const auto d = [&](double step) {
      auto plus = moved(input, element, directions, step);
      const auto minus = moved(input, element, directions, -step);
      double* p = plus.mutate();
      for (std::int64_t i = 0; i < plus.size(); ++i) p[i] = (p[i] - minus[i]) / (2 * step);
      return plus;
    };
    auto fine = d(h / 2);
    const auto coarse = d(h);
    double* p = fine.mutate();
    for (std::int64_t i = 0; i < fine.size(); ++i) p[i] = (4 * p[i] - coarse[i]) / 3;
    return fine;
  }

  void entry_by_entry(const Array<double>& y) {
    // Differences give one column at a time, sweeps one row at a time.
    std::vector<Arrays> rows;
    for (std::int64_t j = 0; j < y.size(); ++j) {
      auto unit = Array<double>::zeros(y.shape());
      unit.mutate()[j] = 1;
      rows.push_back(swept(unit));
      note_zeros(rows.back());
    }
    const double scale = largest(y);
    for (std::size_t k = 0; k < at_.size(); ++k) {
      for (std::int64_t i = 0; i < at_[k].size(); ++i) {
        const double h = options_.step * std::max(1.0, std::abs(at_[k][i]));
        const auto column = difference(k, i, nullptr, h);
        for (std::int64_t j = 0; j < y.size(); ++j) {
          compare(rows[std::size_t(j)][k][i], column[j], scale, k, i,
                  [&](double t) { return moved(k, i, nullptr, t)[j]; });
        }
      }
    }
  }

  void by_projections(const Array<double>& y) {
    for (int p = 0; p < options_.projections; ++p) {
      const auto direction = random_like(y.shape(), stream_);
      const Arrays gradients = swept(direction);
      note_zeros(gradients);
      for (std::size_t k = 0; k < at_.size(); ++k) {
        if (at_[k].size() == 0) continue;
        Arrays v;
        for (std::size_t l = 0; l < at_.size(); ++l) {
          v.push_back(l == k ? random_like(at_[l].shape(), stream_)
                             : Array<double>::zeros(at_[l].shape()));
        }
        const double h = options_.step;
        const double n = std::sqrt(double(y.size()));
        compare(dot(gradients[k], v[k]), dot(difference(k, 0, &v, h), direction), largest(y) * n, k,
                -1, [&](double t) { return dot(moved(k, 0, &v, t), direction); });
      }
    }
  }

  void compare(double swept, double differenced, double scale, std::size_t input,
               std::int64_t element, const std::function<double(double)>& along) {
    ++report_.compared;
    const double tolerance =
        options_.relative_tolerance * std::max(std::abs(swept), std::abs(differenced)) +
        options_.absolute_tolerance * (scale + 1);
    const double error = std::abs(swept - differenced);
    if (options_.zero_slope && swept != 0) {
      record(swept, differenced, 0, input, element);
      return fail("a slope that was declared zero is not");
    }
    const double ratio = error / tolerance;
    const bool bad = !(ratio <= 1);
    // The worst comparison is reported; any failure is worse than a success.
    const bool first_failure = bad && report_.passed;
    if (!first_failure && (bad == report_.passed || ratio <= worst_)) return;
    worst_ = ratio;
    record(swept, differenced, tolerance, input, element);
    if (!bad) return;
    // At a kink the slopes on both sides differ; at a jump they grow as the step shrinks.
    const double h = options_.step / 64, middle = along(0);
    const double right = (along(h) - middle) / h, left = (middle - along(-h)) / h;
    const double closer = (along(h / 8) - middle) / (h / 8);
    const double size = 0.05 * std::max(std::abs(right), std::abs(left));
    report_.kink_likely = std::abs(right - left) > size || std::abs(closer - right) > size;
    fail("sweep and differences disagree");
  }

  void record(double swept, double differenced, double tolerance, std::size_t input,
              std::int64_t element) {
    report_.order = order_;
    report_.input = int(input);
    report_.element = element;
    report_.swept = swept;
    report_.difference = differenced;
    report_.tolerance = tolerance;
  }

  void note_zeros(const Arrays& gradients) {
    nonzero_.resize(gradients.size());
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      for (double v : gradients[k]) nonzero_[k] = nonzero_[k] || v != 0;
    }
  }

  void check_that_something_was_checked() {
    if (options_.zero_slope) return;
    bool any = false;
    for (std::size_t k = 0; k < nonzero_.size(); ++k) {
      any |= bool(nonzero_[k]);
      // At the second order a linear function has zero derivatives in its own inputs.
      if (order_ == 1 && at_[k].size() > 0 && !nonzero_[k]) {
        report_.order = order_;
        report_.input = int(k);
        return fail("the gradient is zero everywhere, so nothing was checked");
      }
    }
    if (!any) fail("all gradients are zero everywhere, so nothing was checked");
  }

  void fail(const char* reason) {
    report_.passed = false;
    report_.order = order_;
    report_.reason = reason;
  }

  const TensorFunction<double>& f_;
  const Arrays& at_;
  const GradientCheckOptions& options_;
  int order_;
  GradientReport& report_;
  Stream stream_;
  double worst_ = 0;
  std::vector<char> nonzero_;
};

}  // namespace

GradientReport detail::check_gradients(const TensorFunction<double>& f,
                                       const std::vector<Array<double>>& inputs,
                                       const GradientCheckOptions& options) {
  GradientReport report;
  Check(f, inputs, options, 1, report).run();
  if (!report.passed || options.order < 2) return report;

  // The second order is the first order of the function (x, u) -> the gradients of <f(x), u> along
  // v.
  Arrays at = inputs;
  Stream stream(options.seed + 1);
  {
    const NoRecord pause;
    std::vector<Tensor<double>> in(inputs.begin(), inputs.end());
    at.push_back(random_like(f(in).shape(), stream));
  }
  std::vector<Array<double>> v;
  for (const auto& x : inputs) v.push_back(random_like(x.shape(), stream));
  const TensorFunction<double> gradient = [&](std::span<const Tensor<double>> x) {
    const auto along_v = [&](std::span<const Tensor<double>> points) {
      const Tensor<double> y = f(points.first(inputs.size()));
      Tensor<double> total = 0;
      if (detail::Access::place(y).is_constant()) return total;
      std::vector<GradientOf<double>> wanted(points.begin(), points.end() - 1);
      const auto g = grad(y, wanted, {.create_graph = true}, &points.back());
      for (std::size_t k = 0; k < v.size(); ++k) total = total + sum(g[k] * v[k]);
      return total;
    };
    if (detail::current_records()) return along_v(x);
    Tape tape;  // values need a tape, too: they are gradients
    std::vector<Tensor<double>> points;
    for (const auto& point : x) points.push_back(tape.watch(point));
    return along_v(points).detach();
  };
  Check(gradient, at, options, 2, report).run();
  return report;
}

std::ostream& operator<<(std::ostream& out, const GradientReport& report) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text.precision(12);
  text << (report.passed ? "passed" : "failed") << " after " << report.compared << " comparisons";
  if (!report.passed) text << ": " << report.reason;
  if (report.input >= 0) {
    text << "; "
         << "worst"
         << " at order " << report.order << ", input " << report.input;
    if (report.element >= 0) text << ", element " << report.element;
    if (report.element < 0) text << ", projected";
    text << ": by the sweep " << report.swept << ", by differences " << report.difference
         << ", tolerance " << report.tolerance;
  }
  if (report.kink_likely) text << "; the function seems to have a kink there";
  return out << text.str();
}

}  // namespace ebb::inline v0
