// SPDX-License-Identifier: BSD-3-Clause
// Lanes: their operations, and the functions that all others are built on.
#include "ebb/tests/autodiff/formula/lanes_checks.hpp"

using namespace ebb::test;
using ebb::Lanes;

namespace {

FUNCTION(exp, 1.5)
FUNCTION(log, 1.5)
FUNCTION(log1p, 2)
FUNCTION(expm1, 1.6)
FUNCTION(tanh, 3)
FUNCTION(sin, 2)
FUNCTION(cos, 2)
FUNCTION(sqrt, 0.5)
#define FUNCTION_TYPES \
  Test_exp, Test_log, Test_log1p, Test_expm1, Test_tanh, Test_sin, Test_cos, Test_sqrt

struct Test_pow {
  static EBB_INLINE auto lanes(const auto& a, const auto& b) { return pow(a, b); }
};

}  // namespace

TEST_SUITE("lanes") {

TEST_CASE_TEMPLATE("functions of one argument are near the exact value", F, FUNCTION_TYPES) {
  check_near_exact<F, float>();
  check_near_exact<F, double>();
}

TEST_CASE_TEMPLATE("special values are exact", T, float, double) {
  using Limits = std::numeric_limits<T>;
  const T tiny = Limits::denorm_min(), least = Limits::min(), huge = Limits::max();
  constexpr bool f = sizeof(T) == 4;
  const T zero = 0, none = T(-0.0), inf = ebb::test::inf<T>, nan = NaN<T>;
  check_special<Test_exp, T>({{zero, 1},
                              {none, 1},
                              {inf, inf},
                              {-inf, 0},
                              {nan, nan},
                              {huge, inf},
                              {-huge, 0},
                              {tiny, 1},
                              {T(f ? 88.73 : 709.79), inf},
                              {T(f ? -104 : -745.2), 0}});
  check_special<Test_expm1, T>({{zero, zero},
                                {none, none},
                                {inf, inf},
                                {-inf, -1},
                                {nan, nan},
                                {huge, inf},
                                {-huge, -1},
                                {tiny, tiny},
                                {-tiny, -tiny},
                                {least, least}});
  check_special<Test_log, T>({{1, 0},
                              {zero, -inf},
                              {none, -inf},
                              {-1, nan},
                              {-tiny, nan},
                              {inf, inf},
                              {-inf, nan},
                              {nan, nan}});
  check_special<Test_log1p, T>({{zero, zero},
                                {none, none},
                                {-1, -inf},
                                {-2, nan},
                                {-inf, nan},
                                {inf, inf},
                                {nan, nan},
                                {tiny, tiny},
                                {-tiny, -tiny}});
  check_special<Test_tanh, T>({{zero, zero},
                               {none, none},
                               {inf, 1},
                               {-inf, -1},
                               {nan, nan},
                               {huge, 1},
                               {-huge, -1},
                               {40, 1},
                               {-40, -1},
                               {tiny, tiny},
                               {-tiny, -tiny},
                               {least, least}});
  check_special<Test_sin, T>({{zero, zero},
                              {none, none},
                              {inf, nan},
                              {-inf, nan},
                              {nan, nan},
                              {tiny, tiny},
                              {-tiny, -tiny},
                              {least, least}});
  check_special<Test_cos, T>(
      {{zero, 1}, {none, 1}, {inf, nan}, {-inf, nan}, {nan, nan}, {tiny, 1}, {T(1e-9), 1}});
  check_special<Test_sqrt, T>(
      {{zero, zero}, {none, none}, {4, 2}, {-1, nan}, {inf, inf}, {-inf, nan}, {nan, nan}});
}

TEST_CASE_TEMPLATE("a value depends neither on its place nor on its neighbours", F,
                   FUNCTION_TYPES) {
  check_places<F, float>();
  check_places<F, double>();
}

TEST_CASE_TEMPLATE("pow is near the exact value and has the special cases of C", T, float, double) {
  std::vector<T> a, b;
  const std::vector<T> special = special_values<T>();
  for (T v : special) {
    for (T w : special) a.push_back(v), b.push_back(w);
  }
  // Powers from all over the range, from bases next to 1 and far from it.
  std::mt19937_64 random(11);
  const auto uniform = [&] { return double(random() >> 11) * 0x1p-53; };
  const double range = sizeof(T) == 4 ? 105 : 750;
  for (int i = 0; i < 20000; ++i) {
    const double limit = sizeof(T) == 4 ? 140 : 1000;
    const T base = T(i % 2 ? std::exp2((2 * uniform() - 1) * limit)
                           : 1 + (uniform() - 0.5) * std::exp2(-i % 20));
    double exponent = (2 * uniform() - 1) * range / std::fabs(std::log(double(base)));
    if (i % 5 == 0) exponent = std::round(exponent);
    a.push_back(i % 10 == 0 ? -base : base);
    b.push_back(T(exponent));
  }
  a.resize((a.size() + 15) / 16 * 16, 1);
  b.resize((b.size() + 15) / 16 * 16, 1);
  std::vector<long double> exact;
  for (std::size_t i = 0; i < a.size(); ++i) exact.push_back(std::pow((long double)a[i], b[i]));
  for (int bytes : {16, 32, 64}) {
    if (!runs(bytes)) continue;
    check_errors(size_name<T>("pow", bytes), 1, map<Test_pow>(bytes, a, b), exact,
                 [&](std::size_t i) {
                   return digits(double(a[i])) + " to the power of " + digits(double(b[i]));
                 });
  }
}

namespace {

/// The number of the first line that does not hold, or 0: checks of doctest cannot be inlined.
#define HOLDS(...) \
  if (!(__VA_ARGS__)) return __LINE__

template <class L>
EBB_INLINE bool all(const typename L::Mask& mask) {
  return !(~mask).any();
}

template <class T, int W>
EBB_INLINE int operations_on_lanes() {
  using L = Lanes<T, W>;
  T x[W + 1], y[W + 1];
  for (int i = 0; i < W; ++i) x[i + 1] = T(i + 1);
  const L n = L::load(x + 1);  // 1, 2, ...; never aligned
  n.store(y + 1);
  for (int i = 1; i <= W; ++i) HOLDS(y[i] == T(i));

  // Literals of any type on either side.
  HOLDS(all<L>(1 + n - 1 == n) && all<L>(2 * n / 2.0 == n) && all<L>(0 - n == -n));
  HOLDS(all<L>(1 <= n) && all<L>(n >= 1) && !(n < 1).any() && all<L>(0.5 < n) && !(0 > n).any());
  HOLDS(all<L>(select(n < 2.5, 1, 0) + select(n < 2.5, 0, 1) == 1));
  HOLDS(all<L>(select(n < 2.5, n, 0) + select(n < 2.5, 0, n) == n));
  const L nothing = NaN<T>;
  HOLDS(!(nothing == nothing).any() && !(nothing < 1).any() &&
        all<L>(select(nothing > 1, 1, n) == n));
  HOLDS(all<L>(pow(n, 2) == n * n) && all<L>(pow(2, n) / 2 == pow(2, n - 1)));

  // Masks.
  for (int count = 0; count <= W + 1; ++count) {
    select(L::first(count), 1, 0).store(y);
    for (int i = 0; i < W; ++i) HOLDS(y[i] == T(i < count));
    HOLDS(L::first(count).any() == (count > 0));
    HOLDS((L::first(count) & ~L::first(count - 1)).any() == (count > 0 && count <= W));
    HOLDS(all<L>(L::first(count) | ~L::first(count)));
  }
  for (int i = 1; i <= W; ++i) HOLDS((n == i).any());

  // Sums.
  HOLDS(n.sum() == T(W * (W + 1) / 2));
  // Small integers: sums are exact in any order.
  const L sums = L::sums([&](auto r) { return n * T(1 << r % 5) + T(int(r)); });
  for (int r = 0; r < W; ++r) HOLDS(sums.reg[r] == n.sum() * T(1 << r % 5) + T(W * r));

  // The square of epsilon is left only where the product is not rounded.
  const T e = std::numeric_limits<T>::epsilon();
  HOLDS(all<L>(madd(n, 3, 4) == n * 3 + 4));
  HOLDS(all<L>(madd(L(1 + e), 1 - e, -1) == (L::fused ? -e * e : 0)));

  HOLDS(all<L>(L(T(-0.0)).magnitude() == 0) && all<L>((-n).magnitude() == n));
  HOLDS(all<L>(n.clamped(2, 3) == select(n < 2, 2, select(n > 3, 3, n))));
  HOLDS(!(nothing.clamped(2, 3) == nothing.clamped(2, 3)).any());
  return 0;
}

#define OPERATIONS(set, bytes)                               \
  template <class T>                                         \
  EBB_LOOP_##set int operations_##bytes() {                  \
    return operations_on_lanes<T, bytes / int(sizeof(T))>(); \
  }
EBB_FOR_EACH_ISA(OPERATIONS)
#undef OPERATIONS

}  // namespace

TEST_CASE_TEMPLATE("operations, masks, sums and madd", T, float, double) {
  CHECK(operations_16<T>() == 0);
  if (runs(32)) CHECK(operations_32<T>() == 0);
  if (runs(64)) CHECK(operations_64<T>() == 0);
}

namespace {

/// Formulas as operations write them.
constexpr auto tanh_slope = [](auto, auto y) { return 1 - y * y; };
constexpr auto relu_slope = [](auto x, auto) { return select(x > 0, 1, 0); };
constexpr auto product_slope = [](auto, auto b, auto) { return b; };
constexpr auto power_slope = [](auto a, auto b, auto) { return b * pow(a, b - 1); };
constexpr auto softplus = [](auto x) { return select(x > 20, x, log1p(exp(x))); };

using ebb::Uses;
using ebb::uses_of;
template <class R>
constexpr unsigned read = uses_of<R>;

static_assert(read<decltype(tanh_slope(Uses<1>{}, Uses<2>{}))> == 2);
static_assert(read<decltype(relu_slope(Uses<1>{}, Uses<2>{}))> == 1);
static_assert(read<decltype(product_slope(Uses<1>{}, Uses<2>{}, Uses<4>{}))> == 2);
static_assert(read<decltype(power_slope(Uses<1>{}, Uses<2>{}, Uses<4>{}))> == 3);
static_assert(read<decltype(pow(Uses<1>{}, Uses<2>{}) + pow(2, Uses<4>{}))> == 7);
static_assert(read<decltype(softplus(Uses<1>{}))> == 1);
static_assert(read<decltype(select(Uses<1>{} < Uses<2>{}, Uses<4>{}, 0))> == 7);
static_assert(read<decltype(select((Uses<1>{} < 0) & ~(1.5 >= Uses<2>{}), 1, 0))> == 3);
static_assert(read<decltype(select((Uses<1>{} == 0) | (Uses<4>{} > 1), 1, 0))> == 5);
static_assert(read<decltype(-sqrt(2 / Uses<8>{}) + sin(Uses<1>{}) * expm1(cos(Uses<2>{})))> == 11);
static_assert(read<decltype(select(true, Uses<1>{}, 0))> == 1);
static_assert(read<int> == 0);

}  // namespace

TEST_CASE("formulas of plain numbers") {
  using ebb::pow, ebb::select;
  CHECK(select(true, 1, 0.5) == 1.0);
  CHECK(select(false, 1, 0.5) == 0.5);
  CHECK(pow(3.0, 2) == 9.0);
  CHECK(ebb::exp(0.0f) == 1.0f);
  CHECK(std::is_same_v<decltype(ebb::tanh(0.5f)), float>);
}

}  // TEST_SUITE("lanes")
