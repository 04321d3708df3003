// SPDX-License-Identifier: BSD-3-Clause
// Operations on vectors and matrices without kernels: products, diagonals, triangles and powers,
// nearly all composed of other operations.
#pragma once
#include <algorithm>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/linear_algebra/batch.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0::op {

/// A `matmul` of two vectors.
struct Dot {
  static constexpr std::string_view name = "dot";
  static constexpr Lacks lacks{.scalar = "needs vectors"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return dot(x[0], x[1]); };
    return {sample("of vectors", {spread({5}), spread({5}, 50)}, f),
            sample("of nothing", {spread({0}), spread({0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"other sizes", [] { dot(spread({3}), spread({2})); },
             "dot: both must have one axis, of the same size, not (3,) and (2,)"},
            {"a matrix",
             [] {
               dot(spread({2, 3}), spread({3}));
             },
             "dot: both must have one axis, of the same size, not (2, 3) and (3,)"}};
  }
};

/// The product of a column and a row, as a matrix product.
struct Outer {
  static constexpr std::string_view name = "outer";
  static constexpr Lacks lacks{.scalar = "needs vectors"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return outer(x[0], x[1]); };
    return {sample("of vectors", {spread({3}), spread({4}, 50)}, f),
            sample("of nothing", {spread({0}), spread({2})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a matrix",
             [] {
               outer(spread({2, 3}), spread({3}));
             },
             "outer: both must have one axis, not (2, 3) and (3,)"}};
  }
};

/// The cross product of three elements, by elements in turned order.
struct Cross {
  static constexpr std::string_view name = "cross";
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto along = [](int axis) { return [=](auto x) { return cross(x[0], x[1], axis); }; };
    return {sample("of vectors", {spread({3}), spread({3}, 50)}, along(-1)),
            sample("of rows", {spread({2, 3}), spread({2, 3}, 2)}, along(1)),
            sample("of columns", {spread({3, 2}), spread({3, 2}, 2)}, along(0)),
            sample("of one and many", {spread({3}), spread({2, 2, 3}, 2)}, along(-1)),
            sample("of rows and planes", {spread({3, 1}), spread({2, 3, 2}, 2)}, along(1)),
            sample("of nothing", {spread({0, 3}), spread({0, 3})}, along(-1))};
  }
  static std::vector<Rejection> rejections() {
    return {{"another size", [] { cross(spread({2}), spread({2})); },
             "cross: the axis must have 3 elements in both, not (2,) and (2,)"},
            {"an axis of size 1",
             [] {
               cross(spread({2, 3}), spread({2, 1}));
             },
             "cross: the axis must have 3 elements in both, not (2, 3) and (2, 1)"},
            {"an axis that one lacks",
             [] {
               cross(spread({3, 3}), spread({3}), 0);
             },
             "cross: the axis must have 3 elements in both, not (3, 3) and (3,)"},
            {"other shapes",
             [] {
               cross(spread({2, 3}), spread({4, 3}));
             },
             "cross: shapes (2, 3) and (4, 3)"},
            {"no such axis", [] { cross(spread({3}), spread({3}), 1); },
             "cross: axis 1 of an array with 1 axes"},
            {"scalars", [] { cross(spread({}), spread({})); },
             "cross: the axis must have 3 elements in both, not () and ()"}};
  }
};

/// A product that broadcasts, whose axes are joined.
struct Kron {
  static constexpr std::string_view name = "kron";
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return kron(x[0], x[1]); };
    return {sample("of matrices", {spread({2, 3}, 50), spread({3, 2})}, f),
            sample("of a vector and a matrix", {spread({2}), spread({2, 3})}, f),
            sample("of scalars", {spread({}), spread({}, 2)}, f),
            sample("of boxes", {spread({2, 1, 2}), spread({1, 3, 2})}, f),
            sample("of nothing", {spread({0, 2}), spread({3})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"four axes",
             [] {
               kron(spread({2, 1, 1, 1}), spread({3}));
             },
             "kron: both must have three axes at most, not (2, 1, 1, 1) and (3,)"}};
  }
};

/// Powers 0 to n - 1 of each element, by running products in double.
struct Vander {
  static constexpr std::string_view name = "vander";
  struct Options {
    std::int64_t n;
    bool decreasing;
  };
  static constexpr unsigned reads[] = {1};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* x) {
    detail::BlockHandle y(detail::allocate(detail::batch_of(name, x->shape, {o.n}), sizeof(T)));
    const T* const from = x->data<T>();
    T* row = y->data<T>();
    for (std::int64_t i = 0; i < x->shape.size(); ++i, row += o.n) {
      double power = 1;
      for (std::int64_t k = 0; k < o.n; ++k, power *= double(from[i])) {
        row[o.decreasing ? o.n - 1 - k : k] = T(power);
      }
    }
    return y.take();
  }
  /// The slope of x^k is k times the power before, also at 0. The constant column has none.
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const Options o = call.options();
    const std::int64_t n = std::max<std::int64_t>(o.n - 1, 0), first = o.n - n;
    auto k = Array<T>::uninitialized({n});
    for (std::int64_t i = 0; i < n; ++i) k.mutate()[i] = T(o.decreasing ? n - i : i + 1);
    const SliceRange range = o.decreasing ? SliceRange{0, n} : SliceRange{first, o.n};
    return sum(slice(call.g(), -1, range) * k * vander(call.a(), n, o.decreasing), Axes(-1));
  }
  static std::vector<Sample> samples() {
    const auto to = [](std::int64_t n, bool decreasing) {
      return [=](auto x) { return vander(x[0], n, decreasing); };
    };
    return {sample("of a vector", {Array<double>::of({-1.5, 0, 0.5, 2, 10})}, to(4, false)),
            sample("decreasing", {Array<double>::of({{-2, 0}, {0.3, 1}})}, to(5, true)),
            sample("of a scalar", {spread({})}, to(3, false)),
            sample("to the power 0", {spread({2})},
                   [](auto x) { return vander(x[0], 1) + unsqueeze(x[0], 1); }),
            sample("to none", {spread({2})}, [](auto x) { return sum(vander(x[0], 0)) + x[0]; }),
            sample("of nothing", {spread({0, 2})}, to(3, true))};
  }
  static std::vector<Rejection> rejections() {
    return {{"a negative number", [] { vander(spread({2}), -1); },
             "vander: -1 powers of x, (2,); there are at least 0"},
            {"too many", [] { vander(spread({2}), INT64_MAX); }, "vander: "}};
  }
};

/// Rows of matrices, joined as columns are, by `concat`.
struct BlockMatrix {
  static constexpr std::string_view name = "block";
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    return {sample("of four matrices",
                   {spread({2, 3}, 50), spread({2, 1}), spread({1, 3}), spread({1, 1})},
                   [](auto x) {
                     return block({{x[0], x[1]}, {x[2], x[3]}});
                   }),
            sample("of rows with other numbers of parts", {spread({2, 1, 3}), spread({2, 2, 1})},
                   [](auto x) {
                     return block({{x[0]}, {x[1], x[1], x[1]}});
                   }),
            sample("of a row", {spread({2, 2})},
                   [](auto x) {
                     return block({{x[0], x[0]}});
                   }),
            sample("of one matrix", {spread({2, 2})}, [](auto x) { return block({{x[0]}}); }),
            sample("with nothing", {spread({0, 3}), spread({2, 3}), spread({2, 0})}, [](auto x) {
              return block({{x[0]}, {x[1], x[2]}});
            })};
  }
  static std::vector<Rejection> rejections() {
    const Tensor<double> a(spread({2, 2})), b(spread({3, 2})), c(spread({2}));
    return {{"other heights",
             [=] {
               block({{a}, {a, b}});
             },
             "block: part 1 of row 1 is (3, 2), and part 0 is (2, 2); in a row all sizes but the "
             "width must be equal"},
            {"other widths",
             [=] {
               block({{a, a}, {b}});
             },
             "block: the parts of row 1 are (3, 2) together, and those of row 0 are (2, 4); all "
             "sizes but the height must be equal"},
            {"other batches",
             [=] {
               block({{a}, {unsqueeze(a, 0)}});
             },
             "block: the parts of row 1 are (1, 2, 2) together, and those of row 0 are (2, 2)"},
            {"a vector",
             [=] {
               block({{a, c}});
             },
             "block: part 1 of row 0 is no matrix, but (2,); reshape it to a row (1, n) or a "
             "column (m, 1)"},
            {"no rows", [] { block(std::vector<std::vector<Tensor<double>>>{}); },
             "block: no rows to join"},
            {"no parts",
             [=] {
               block({{a}, {}});
             },
             "block: row 1 has no parts to join"}};
  }
};

/// Rows of the flat matrix, gathered or scattered.
struct Diag {
  static constexpr std::string_view name = "diag";
  static constexpr Lacks lacks{.scalar = "needs an axis"};
  static std::vector<Sample> samples() {
    const auto at = [](std::int64_t offset) { return [=](auto x) { return diag(x[0], offset); }; };
    return {sample("of a wide matrix", {spread({3, 5}, 50)}, at(0)),
            sample("above, of a tall matrix", {spread({4, 2})}, at(1)),
            sample("below", {spread({4, 2})}, at(-2)),
            sample("outside of the matrix", {spread({2, 2})},
                   [](auto x) { return sum(diag(x[0], 5)) + x[0]; }),
            sample("from a vector", {spread({3})}, at(0)),
            sample("from a vector, below", {spread({2})}, at(-1)),
            sample("from nothing", {spread({0})}, at(0))};
  }
  static std::vector<Rejection> rejections() {
    return {{"a scalar", [] { diag(spread({})); }, "diag: x must have one or two axes, not ()"},
            {"three axes",
             [] {
               diag(spread({1, 2, 3}));
             },
             "diag: x must have one or two axes, not (1, 2, 3)"},
            {"an offset far away", [] { diag(spread({2}), INT64_MIN); },
             "diag: an offset of -9223372036854775808 makes too large a matrix"}};
  }
};

/// The sum of a diagonal.
struct Trace {
  static constexpr std::string_view name = "trace";
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return trace(x[0]); };
    return {sample("of a square matrix", {spread({3, 3}, 50)}, f),
            sample("of a wide matrix", {spread({2, 4})}, f),
            sample("of nothing", {spread({0, 3})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a vector", [] { trace(spread({3})); }, "trace: x must have two axes, not (3,)"}};
  }
};

/// The elements on and below a diagonal, by a mask.
struct Tril {
  static constexpr std::string_view name = "tril";
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    return {sample("of a matrix", {spread({3, 4}, 50)}, [](auto x) { return tril(x[0]); }),
            sample("of a tall one, above", {spread({4, 2})}, [](auto x) { return tril(x[0], 1); }),
            sample("of several", {spread({2, 3, 3})}, [](auto x) { return tril(x[0], -1); }),
            sample("of nothing", {spread({0, 3})}, [](auto x) { return tril(x[0]); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a vector", [] { tril(spread({3})); }, "tril: x must have two axes or more, not (3,)"}};
  }
};

/// The elements on and above a diagonal, by a mask.
struct Triu {
  static constexpr std::string_view name = "triu";
  static constexpr Lacks lacks{.scalar = "needs matrices"};
  static std::vector<Sample> samples() {
    return {sample("of a matrix", {spread({3, 4}, 50)}, [](auto x) { return triu(x[0]); }),
            sample("of a tall one, below", {spread({4, 2})}, [](auto x) { return triu(x[0], -1); }),
            sample("of several", {spread({2, 3, 3})}, [](auto x) { return triu(x[0], 1); }),
            sample("of nothing", {spread({3, 0})}, [](auto x) { return triu(x[0]); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a vector", [] { triu(spread({3})); }, "triu: x must have two axes or more, not (3,)"}};
  }
};

using Matrices = List<Dot, Outer, Cross, Kron, Vander, BlockMatrix, Diag, Trace, Tril, Triu>;

}  // namespace ebb::inline v0::op
