// SPDX-License-Identifier: BSD-3-Clause
// Running sums, rows by index, and sorting.
#include "arrays.hpp"
#include "ebb/autodiff/tape.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

/// x (rows, columns) with the seed of a result of that shape, and what the limit writes.
struct Lines {
  Lines(std::int64_t r, std::int64_t c)
      : rows(r), columns(c), x(r * c), g(r * c), y(r * c), gx(r * c) {}
  std::int64_t rows, columns;
  Numbers x, g, y, gx;
  ebb::Variable<float> input = variable({rows, columns}, x);
  ebb::Array<float> seed = array({rows, columns}, g);
  std::vector<std::int64_t> order = std::vector<std::int64_t>(std::size_t(rows * columns));
  std::vector<double> total = std::vector<double>(std::size_t(columns));
};

/// Numbers of rows in random order, with repetitions.
ebb::Array<std::int64_t> row_numbers(std::int64_t rows) {
  Numbers uniform(rows, 0, 1);
  auto index = ebb::Array<std::int64_t>::uninitialized({rows});
  for (std::int64_t i = 0; i < rows; ++i) {
    index.mutate()[i] = std::int64_t(uniform.data()[i] * float(rows - 1));
  }
  return index;
}

// Counts the forward pass alone, without a tape, into blocks from the pool. The limit writes to
// buffers that stay.
template <class F, class Limit>
std::function<Sides()> forward(std::int64_t rows, std::int64_t columns, F f, Limit limit) {
  return [=] {
    auto d = std::make_shared<Lines>(rows, columns);
    return Sides{[=] { keep(f(*d)); }, [=] { limit(*d); }};
  };
}

// Counts the forward pass, the sweep from a dense seed into an absent gradient, and their release.
template <class F, class Limit>
std::function<Sides()> both(std::int64_t rows, std::int64_t columns, F f, Limit limit) {
  return [=] {
    auto d = std::make_shared<Lines>(rows, columns);
    return Sides{[=] {
                   {
                     ebb::Tape tape;
                     const ebb::Tensor<float> y = f(*d);
                     backward(ebb::Loss(y, d->seed));
                   }
                   d->input.zero_grad();
                 },
                 [=] { limit(*d); }};
  };
}

}  // namespace

void add_lines(std::vector<Case>& cases) {
  const auto add = [&](const char* name, std::function<Sides()> prepare) {
    cases.push_back(versus(std::string("lines/") + name + "/f32", "us", 1.3, std::move(prepare)));
  };
  constexpr std::int64_t rows = 4096, columns = 256;
  for (const int axis : {0, 1}) {
    const auto sums = [=](Lines& d) { return cumsum(d.input, axis); };
    const auto limit = [=](Lines& d, const float* from, float* to, bool reverse) {
      if (axis == 1) return limits::cumsum_last(from, to, rows, columns, reverse);
      limits::cumsum_first(from, to, d.total.data(), rows, columns, reverse);
    };
    add(axis == 0 ? "cumsum_first/4096x256" : "cumsum_last/4096x256",
        forward(rows, columns, sums, [=](Lines& d) { limit(d, d.x, d.y, false); }));
    add(axis == 0 ? "cumsum_first_backward/4096x256" : "cumsum_last_backward/4096x256",
        both(rows, columns, sums, [=](Lines& d) {
          limit(d, d.x, d.y, false);
          limit(d, d.g, d.gx, true);
        }));
  }

  constexpr std::int64_t many = 100000, few = 64;
  const auto index = row_numbers(many);
  const auto gather = [=](Lines& d) { return gather_rows(d.input, index); };
  const auto scatter = [=](Lines& d) { return scatter_add_rows(d.input, index, many); };
  const auto gather_limit = [=](const float* from, float* to) {
    limits::gather_rows(from, index.data(), to, many, few);
  };
  const auto scatter_limit = [=](const float* from, float* to) {
    limits::scatter_add_rows(from, index.data(), to, many, many, few);
  };
  add("gather_rows/100000x64",
      forward(many, few, gather, [=](Lines& d) { gather_limit(d.x, d.y); }));
  add("gather_rows_backward/100000x64", both(many, few, gather, [=](Lines& d) {
        gather_limit(d.x, d.y);
        scatter_limit(d.g, d.gx);
      }));
  add("scatter_add_rows/100000x64",
      forward(many, few, scatter, [=](Lines& d) { scatter_limit(d.x, d.y); }));
  add("scatter_add_rows_backward/100000x64", both(many, few, scatter, [=](Lines& d) {
        scatter_limit(d.x, d.y);
        gather_limit(d.g, d.gx);
      }));

  const auto sorted = [](Lines& d) { return sort(d.input).values; };
  const auto sort_limit = [=](Lines& d) { limits::sort_rows(d.x, d.y, d.order.data(), rows); };
  add("sort/4096x256", forward(rows, columns, sorted, sort_limit));
  add("sort_backward/4096x256", both(rows, columns, sorted, [=](Lines& d) {
        sort_limit(d);
        limits::sort_rows_backward(d.g, d.order.data(), d.gx, rows);
      }));
}

}  // namespace bench
