// SPDX-License-Identifier: BSD-3-Clause
// Running sums, elements and rows by index, and sorting.
#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
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

/// Numbers below a size in random order, with repetitions.
ebb::Array<std::int64_t> random_index(const ebb::Shape& shape, std::int64_t size) {
  Numbers uniform(shape.size(), 0, 1);
  auto index = ebb::Array<std::int64_t>::uninitialized(shape);
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    index.mutate()[i] = std::int64_t(uniform.data()[i] * float(size - 1));
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
                     backward(ebb::SweepStart(y, d->seed));
                   }
                   d->input.zero_grad();
                 },
                 [=] { limit(*d); }};
  };
}

/// Elements by index along the first or the last axis.
template <class Add>
void add_elements(int axis, std::int64_t rows, std::int64_t columns, const Add& add) {
  const auto index = random_index({rows, columns}, axis == 0 ? rows : columns);
  const auto zeros = ebb::Array<float>::zeros({rows, columns});
  const auto take = [=](const float* from, float* to) {
    (axis == 0 ? limits::gather_first : limits::gather_last)(from, index.data(), to, rows, columns);
  };
  const auto put = [=](const float* from, float* to, const float* before) {
    if (before) {
      std::copy_n(before, rows * columns, to);
    } else {
      std::fill_n(to, rows * columns, 0.0f);
    }
    const auto add_to = axis == 0 ? limits::scatter_add_first : limits::scatter_add_last;
    add_to(from, index.data(), to, rows, columns);
  };
  const auto gathered = [=](Lines& d) { return gather(d.input, axis, index); };
  const auto scattered = [=](Lines& d) { return scatter_add(zeros, axis, index, d.input); };
  const std::string which = axis == 0 ? "_first" : "_last";
  std::string size = "/";  // as one sum, g++ 12 warns of an overlap that there is not
  size += std::to_string(rows) + "x" + std::to_string(columns);
  add("gather" + which + size, forward(rows, columns, gathered, [=](Lines& d) { take(d.x, d.y); }));
  add("gather" + which + "_backward" + size, both(rows, columns, gathered, [=](Lines& d) {
        take(d.x, d.y);
        put(d.g, d.gx, nullptr);
      }));
  add("scatter_add" + which + size,
      forward(rows, columns, scattered, [=](Lines& d) { put(d.x, d.y, zeros.data()); }));
  add("scatter_add" + which + "_backward" + size, both(rows, columns, scattered, [=](Lines& d) {
        put(d.x, d.y, zeros.data());
        take(d.g, d.gx);
      }));
}

/// One row of a chain over the rows of x: h = h + x[i], forward and back. `row(x, i)` takes a row.
template <class F>
Loop row_chain(std::int64_t rows, std::int64_t columns, F row) {
  auto d = std::make_shared<Lines>(rows, columns);
  return [=] {
    {
      ebb::Tape tape;
      ebb::Tensor<float> h = ebb::Array<float>::zeros({1, columns});
      for (std::int64_t i = 0; i < rows; ++i) h = h + row(d->input, i);
      backward(sum(h));
    }
    d->input.zero_grad();
  };
}

/// The sum of all rows but the last, forward and back.
Loop most_rows(std::int64_t rows) {
  auto d = std::make_shared<Lines>(rows, 1);
  return [=] {
    {
      ebb::Tape tape;
      backward(sum(slice(d->input, 0, {0, rows - 1})));
    }
    d->input.zero_grad();
  };
}

}  // namespace

void add_lines(std::vector<Case>& cases) {
  const auto add = [&](const std::string& name, std::function<Sides()> prepare) {
    cases.push_back(versus("lines/" + name + "/f32", "us", 1.3, std::move(prepare)));
  };
  constexpr std::int64_t rows = 4096, columns = 256;
  for (const int axis : {0, 1}) add_elements(axis, rows, columns, add);
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

  // Columns one by one, and together again. The limit writes gradients where ebb adds them to
  // zeros.
  cases.push_back(versus("lines/split_backward/8000x14/f32", "us", 1.8,
                         both(
                             8000, 14, [](Lines& d) { return concat(split(d.input, 1, 1), 1); },
                             [](Lines& d) {
                               limits::columns_apart_and_together(d.x, d.gx, d.y, 8000, 14);
                               limits::columns_apart_and_together(d.g, d.y, d.gx, 8000, 14);
                             })));
  // Twenty times as many rows must not cost more for each.
  for (const std::int64_t n : {1000, 20000}) {
    cases.push_back(fixed(
        "lines/row_chain/" + std::to_string(n) + "x16/f32", "ns", 250.0,
        [=] {
          return row_chain(n, 16, [](const auto& x, std::int64_t i) {
            return slice(x, 0, {i, i + 1});
          });
        },
        int(n)));
    cases.push_back(fixed(
        "lines/row_chain_by_index/" + std::to_string(n) + "x16/f32", "ns", 350.0,
        [=] {
          return row_chain(
              n, 16, [all = ebb::Array<std::int64_t>::arange(n)](const auto& x, std::int64_t i) {
                return index_select(x, 0, all.leading(i, i + 1));
              });
        },
        int(n)));
  }
  cases.push_back(
      fixed("lines/slice_backward/1000x1/f32", "ns", 1000.0, [] { return most_rows(1000); }));

  constexpr std::int64_t many = 100000, few = 64;
  const auto index = random_index({many}, many);
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
