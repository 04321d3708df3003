// SPDX-License-Identifier: BSD-3-Clause
// Operations along an axis beside one that does as much work along the same axis.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

using X = ebb::Variable<double>;

std::shared_ptr<X> matrix(std::int64_t rows, std::int64_t columns) {
  Numbers numbers(rows * columns);
  const auto narrow = array({rows, columns}, numbers);
  auto wide = ebb::Array<double>::uninitialized(narrow.shape());
  for (std::int64_t i = 0; i < wide.size(); ++i) wide.mutate()[i] = double(narrow[i]);
  return std::make_shared<X>(wide);
}

// Counts the forward pass alone, without a tape, into a block from the pool.
template <class F>
Loop forward(const std::shared_ptr<X>& x, const F& f) {
  return [=] { keep(f(*x)); };
}

// Counts the forward pass of a sum, the sweep into an absent gradient, and their release.
template <class F>
Loop backward(const std::shared_ptr<X>& x, const F& f) {
  return [=] {
    {
      ebb::Tape tape;
      ebb::backward(sum(f(*x)));
    }
    x->zero_grad();
  };
}

void add_choices(std::vector<Case>& cases) {
  for (const int axis : {0, 1}) {
    const std::string along = axis == 0 ? "first/1000x1000/f64" : "last/1000x1000/f64";
    const auto smallest = [=](const X& v) { return min(v, axis); };
    cases.push_back(versus("axes/argmin_" + along, "us", 2.0, [=] {
      const auto x = matrix(1000, 1000);
      return Sides{forward(x, [=](const X& v) { return argmin(v, axis); }), forward(x, smallest)};
    }));
    cases.push_back(versus("axes/min_backward_" + along, "us", 5.0, [=] {
      const auto x = matrix(1000, 1000);
      return Sides{backward(x, smallest), forward(x, smallest)};
    }));
  }
}

void add_exponentials(std::vector<Case>& cases) {
  for (const int axis : {0, 1}) {
    const std::int64_t rows = axis == 0 ? 5 : 1000, columns = axis == 0 ? 1000 : 5;
    const std::string along = axis == 0 ? "first/5x1000/f64" : "last/1000x5/f64";
    const auto add = [&](const char* name, double bound, auto ours, auto limit) {
      cases.push_back(versus("axes/" + (name + along), "ns", bound, [=] {
        const auto x = matrix(rows, columns);
        return Sides{forward(x, ours), forward(x, limit)};
      }));
    };
    add(
        "logsumexp_", 2.0, [=](const X& v) { return logsumexp(v, axis); },
        [=](const X& v) { return log(sum(exp(v), axis)); });
    // What the exponentials alone cost.
    const auto powers = [](const X& v) { return exp(v); };
    add(
        "softmax_", axis == 0 ? 8.0 : 4.0, [=](const X& v) { return softmax(v, axis); }, powers);
    add(
        "log_softmax_", axis == 0 ? 8.0 : 5.0, [=](const X& v) { return log_softmax(v, axis); },
        powers);
  }
}

void add_short_lines(std::vector<Case>& cases) {
  const auto add_short = [&](const std::string& name, std::int64_t columns, auto ours, auto limit) {
    cases.push_back(versus("axes/" + name, "ns", 4.0, [=] {
      const auto x = matrix(1000, columns);
      const auto y = std::make_shared<std::vector<double>>(1000);
      return Sides{forward(x, ours), [=] {
                     limit(x->value().data(), y->data(), 1000);
                     keep(*y);
                   }};
    }));
  };
  add_short(
      "sum_last/1000x2/f64", 2, [](const X& v) { return sum(v, 1); }, limits::sum_pairs);
  add_short(
      "max_last/1000x5/f64", 5, [](const X& v) { return max(v, 1); }, limits::max_rows_of_5);
  cases.push_back(versus("axes/max_first/5x1000/f64", "ns", 2.0, [] {
    const auto x = matrix(5, 1000);
    return Sides{forward(x, [](const X& v) { return max(v, 0); }),
                 forward(x, [](const X& v) { return sum(v, 0); })};
  }));
}

}  // namespace

void add_axes(std::vector<Case>& cases) {
  cases.push_back(versus("axes/inverse_norm_backward/4x3/f64", "ns", 1.2, [] {
    const auto x = matrix(4, 3);
    return Sides{backward(x, [](const X& v) { return 1.0 / norm(v, 2, 1); }),
                 backward(x, [](const X& v) { return rsqrt(sum(square(v), 1)); })};
  }));
  cases.push_back(versus("axes/cumprod_last/4096x256/f64", "us", 1.5, [] {
    const auto x = matrix(4096, 256);
    return Sides{forward(x, [](const X& v) { return cumprod(v, 1); }),
                 forward(x, [](const X& v) { return cumsum(v, 1); })};
  }));
  add_choices(cases);
  add_exponentials(cases);
  add_short_lines(cases);
  // The layout of a broadcast beside none.
  cases.push_back(versus("axes/add_row/1x14/f64", "ns", 2.5, [] {
    const auto x = matrix(1, 14);
    const auto row = std::make_shared<X>(x->value().reshape({14}));
    return Sides{forward(x, [=](const X& v) { return v + *row; }),
                 forward(x, [](const X& v) { return v + v; })};
  }));
}

}  // namespace bench
