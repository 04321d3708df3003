// SPDX-License-Identifier: BSD-3-Clause
// Attention against the operations that it consists of.
#include "ebb/autodiff/ops/networks/attention.hpp"

#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// A mask in which every row has a key, and most rows lack one.
Array<bool> mask_of(const Shape& shape) {
  auto mask = Array<bool>::uninitialized(shape);
  const std::int64_t keys = shape[shape.rank() - 1];
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    mask.mutate()[i] = i % 3 != 1 || i % keys == i / keys % keys;
  }
  return mask;
}

struct Plain {
  template <class Q, class K, class V>
  auto operator()(const Q& q, const K& k, const V& v, const AttentionOptions& o) const {
    const Shape s = q.shape();
    using T = std::remove_cvref_t<decltype(q.value()[0])>;
    const std::int64_t queries = s[s.rank() - 2], keys = k.shape()[s.rank() - 2];
    const Tensor<T> out = -std::numeric_limits<T>::infinity();
    auto scores = matmul(q / std::sqrt(double(s[s.rank() - 1])), k, {.transpose_b = true});
    if (o.causal) {
      auto before = Array<bool>::uninitialized({queries, keys});
      for (std::int64_t i = 0; i < before.size(); ++i) {
        before.mutate()[i] = i % keys <= i / keys + keys - queries;
      }
      scores = where(before, scores, out);
    }
    if (!o.mask.empty()) scores = where(o.mask, scores, out);
    return matmul(softmax(scores), v);
  }
};
struct Fused {
  template <class Q, class K, class V>
  auto operator()(const Q& q, const K& k, const V& v, const AttentionOptions& o) const {
    return scaled_dot_product_attention(q, k, v, o);
  }
};

/// What attention reads, and the gradient of its result.
struct Inputs {
  Array<double> q, k, v, g;
  AttentionOptions options = {};
};
Inputs inputs(const Shape& batch, std::int64_t queries, std::int64_t keys, std::int64_t d,
              std::int64_t v) {
  const auto of = [&](std::int64_t rows, std::int64_t columns, double scale) {
    std::vector<std::int64_t> sizes(batch.sizes().begin(), batch.sizes().end());
    sizes.insert(sizes.end(), {rows, columns});
    return op::spread(Shape(std::span<const std::int64_t>(sizes)), scale);
  };
  return {of(queries, d, 3), of(keys, d, 2), of(keys, v, 1), of(queries, v, 2)};
}

/// The result and all gradients.
template <class T, class F>
std::vector<Array<double>> run(const Inputs& in, F f) {
  Variable<T> q(cast<T>(in.q).array()), k(cast<T>(in.k).array()), v(cast<T>(in.v).array());
  Tape tape;
  const Tensor<T> y = f(q, k, v, in.options);
  backward(SweepStart(y, cast<T>(in.g).array()));
  return {cast<double>(y.detach()).array(), cast<double>(q.gradient()).array(),
          cast<double>(k.gradient()).array(), cast<double>(v.gradient()).array()};
}

void check(const Inputs& in) {
  const auto expected = run<double>(in, Plain());
  const auto in_double = run<double>(in, Fused()), in_float = run<float>(in, Fused());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    // Up to 10^3 terms in another order, some of which cancel.
    CHECK_AGREES(close(in_double[k], expected[k], 1e-12, 1e-12));
    CHECK_AGREES(close(in_float[k], expected[k], 2e-4, 2e-4));
  }
}

/// What is not finite, with 1 for NaN, and zeros for the rest; and the rest, with zeros for that.
Array<double> kinds(const Array<double>& x) {
  auto y = x;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    y.mutate()[i] = std::isnan(x[i]) ? 1 : std::isinf(x[i]) ? x[i] : 0;
  }
  return y;
}
Array<double> finite(const Array<double>& x) {
  auto y = x;
  for (std::int64_t i = 0; i < x.size(); ++i) y.mutate()[i] = std::isfinite(x[i]) ? x[i] : 0;
  return y;
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("attention agrees with plain operations, forward and back, for all sizes") {
  struct Sizes {
    std::int64_t queries, keys, d, v;
  };
  // Probabilities that are kept, in whole vectors and not; and others; one and several blocks and
  // parts of queries; what has one row or one column.
  for (const Sizes& s : {Sizes{32, 64, 16, 16},
                         {70, 33, 8, 16},
                         {9, 20, 8, 4},
                         {300, 16, 16, 3},
                         {20, 100, 16, 1},
                         {3, 7, 1, 1},
                         {1, 50, 5, 7},
                         {5, 1, 3, 2},
                         {1, 1, 1, 1},
                         {6, 4, 1, 2},
                         {260, 400, 16, 16},
                         {250, 1100, 2, 3},
                         {600, 33, 1, 1},
                         {1300, 40, 2, 3}}) {
    auto in =
        inputs(s.queries * s.keys > 10000 ? Shape{2} : Shape{2, 3}, s.queries, s.keys, s.d, s.v);
    for (const bool causal : {false, true}) {
      for (const bool masked : {false, true}) {
        CAPTURE(s.queries);
        CAPTURE(s.keys);
        CAPTURE(causal);
        CAPTURE(masked);
        in.options = {.mask = masked ? mask_of({s.queries, s.keys}) : Array<bool>(),
                      .causal = causal};
        check(in);
      }
    }
  }
}

TEST_CASE("masks and heads of attention broadcast") {
  auto in = inputs({2, 3}, 5, 4, 3, 2);
  for (const Shape& mask : {Shape{4},
                            {1, 4},
                            {5, 4},
                            {3, 1, 4},
                            {3, 5, 4},
                            {2, 1, 1, 4},
                            {2, 1, 5, 4},
                            {1, 3, 1, 4},
                            {2, 3, 5, 4}}) {
    CAPTURE(mask);
    in.options.mask = mask_of(mask);
    check(in);
  }
  for (const Shape& mask : {Shape{}, {1}, {5, 1}, {2, 1, 1, 1}}) {
    CAPTURE(mask);
    in.options.mask = Array<bool>::full(mask, true);
    check(in);
  }
  // The mask has more heads or more queries than the query.
  auto one = inputs({1}, 1, 4, 3, 2);
  one.g = op::spread({2, 3, 5, 2});
  one.options.mask = mask_of({2, 3, 5, 4});
  check(one);
  // Keys and values of other heads.
  Inputs other = {op::spread({2, 1, 5, 3}), op::spread({1, 3, 4, 3}), op::spread({1, 1, 4, 2}),
                  op::spread({2, 3, 5, 2})};
  check(other);
}

TEST_CASE("attention has the gradients that are asked for, whichever they are") {
  for (const std::int64_t keys : {8, 50}) {
    const auto in = inputs({2}, 5, keys, 3, 2);
    const auto all = run<double>(in, Fused());
    const Array<double> given[] = {in.q, in.k, in.v};
    for (unsigned needs = 1; needs < 8; ++needs) {
      CAPTURE(keys);
      CAPTURE(needs);
      Tape tape;
      std::vector<Tensor<double>> x;
      std::vector<GradientOf<double>> wanted;
      for (unsigned k = 0; k < 3; ++k) {
        x.push_back(needs >> k & 1 ? tape.watch(given[k]) : Tensor<double>(given[k]));
        if (needs >> k & 1) wanted.push_back(x.back());
      }
      const Tensor<double> g(in.g);
      const auto parts = grad(scaled_dot_product_attention(x[0], x[1], x[2]), wanted, {}, &g);
      std::size_t at = 0;
      for (unsigned k = 0; k < 3; ++k) {
        if (needs >> k & 1) CHECK_AGREES(same_bits(parts[at++].array(), all[k + 1]));
      }
    }
  }
}

TEST_CASE("probabilities that are kept give the bits of those that are computed again") {
  auto in = inputs({2, 3}, 70, 20, 8, 4);
  in.options.mask = mask_of({70, 20});
  const auto kept = run<double>(in, Fused());
  const auto flat = detail::apply<op::AttentionPull, double>(
      {.needs = 7}, in.g, in.q, in.k, in.v, in.options.mask, Array<double>::zeros({0}));
  const auto both =
      concat({reshape(kept[1], {kept[1].size(), 1}), reshape(kept[2], {kept[2].size(), 1}),
              reshape(kept[3], {kept[3].size(), 1})});
  CHECK_AGREES(same_bits(flat.array(), both.array()));
  // Nothing is kept without a tape.
  CHECK_AGREES(
      same_bits(scaled_dot_product_attention(in.q, in.k, in.v, in.options).array(), kept[0]));
}

TEST_CASE_TEMPLATE("large scores of attention do not overflow", T, float, double) {
  auto in = inputs({2}, 3, 4, 2, 2);
  in.q = (1e4 * in.q).array();
  const auto y = run<T>(in, Fused());
  for (const auto& part : y) {
    for (const double x : part) CHECK(std::isfinite(x));
  }
  CHECK_AGREES(close(y[0], run<double>(in, Plain())[0], 1e-6, 1e-6));
}

TEST_CASE("what is not finite goes through attention as through plain operations") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  for (const std::int64_t keys : {5, 30, 1030}) {
    const std::int64_t queries = keys > 1000 ? 230 : 4;
    for (const bool causal : {false, true}) {
      for (const bool masked : {false, true}) {
        for (int which = 0; which < 4; ++which) {
          for (int kind = 0; kind < 6; ++kind) {
            const double what = kind / 2 == 0 ? nan : kind / 2 == 1 ? inf : -inf;
            if (keys > 1000 && (masked || kind >= 4)) continue;
            auto in = inputs({2}, queries, keys, 2, 2);
            in.options = {.mask = masked ? mask_of({queries, keys}) : Array<bool>(),
                          .causal = causal};
            Array<double>* const all[] = {&in.q, &in.k, &in.v, &in.g};
            Array<double>& x = *all[which];
            // In the first row, or in the last row of the first head, which few queries see.
            x.mutate()[kind % 2 == 0 ? 0 : x.size() / 2 - 1] = what;
            CAPTURE(keys);
            CAPTURE(causal);
            CAPTURE(masked);
            CAPTURE(which);
            CAPTURE(what);
            const auto y = run<double>(in, Fused()), expected = run<double>(in, Plain());
            for (std::size_t k = 0; k < y.size(); ++k) {
              CAPTURE(k);
              CHECK_AGREES(same_bits(kinds(y[k]), kinds(expected[k])));
              CHECK_AGREES(close(finite(y[k]), finite(expected[k]), 1e-11, 1e-11));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a key that is left out has no effect, and gets no gradient") {
  auto in = inputs({2}, 3, 6, 2, 2);
  in.options.mask = Array<bool>::of({true, true, false, true, true, true});
  const auto y = run<double>(in, Fused());
  for (std::int64_t head = 0; head < 2; ++head) {
    for (std::int64_t f = 0; f < 2; ++f) {
      const std::int64_t at = (head * 6 + 2) * 2 + f;
      CHECK(y[2][at] == 0);
      CHECK(y[3][at] == 0);
      in.k.mutate()[at] = 1e6;
      in.v.mutate()[at] = -1e6;
    }
  }
  CHECK_AGREES(same_bits(run<double>(in, Fused())[0], y[0]));
  // However small the scores of the others are.
  const auto q = Array<double>::of({{-1e6}}), k = Array<double>::of({{1e6}, {1e6}, {0}}),
             v = Array<double>::of({{1}, {2}, {50}});
  const auto mask = Array<bool>::of({true, true, false});
  CHECK(scaled_dot_product_attention(q, k, v, {.mask = mask}).array()[0] == 1.5);
}

TEST_CASE("attention takes memory that grows as the length, not as its square") {
  const std::int64_t length = 2048;
  const auto x = cast<float>(op::spread({1, length, 4})).array();
  Variable<float> q(x), k(x), v(x);
  release_memory();
  const auto before = memory_statistics().system_bytes;
  {
    Tape tape;
    backward(sum(scaled_dot_product_attention(q, k, v, {.causal = true})));
  }
  // All scores would take 16 MiB.
  CHECK(memory_statistics().system_bytes - before < 4 << 20);
}

}  // TEST_SUITE("kernels")
