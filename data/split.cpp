// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/split.hpp"

#include <cmath>
#include <sstream>

#include "ebb/autodiff/error.hpp"
#include "ebb/autodiff/random.hpp"

namespace ebb::inline v0::data {
namespace {

/// A stream of its own, so that a program may use one seed for its split, its batches and its
/// weights.
constexpr std::uint64_t tag_of_split = 0x73706c69745f7631;  // "split_v1"

std::size_t rows_to_test(std::int64_t rows, double fraction) {
  std::ostringstream text;
  text << "train_test_split: a test fraction of " << fraction;
  if (!(fraction > 0 && fraction < 1)) {
    throw ArgumentError(text.str() + "; it must be inside (0, 1)");
  }
  const std::int64_t test = std::llround(fraction * double(rows));
  if (test < 1 || test >= rows) {
    text << " leaves " << test << " of " << rows << " rows to test and " << rows - test
         << " to train on; both need at least one";
    throw ArgumentError(text.str());
  }
  return std::size_t(test);
}

}  // namespace

template <Real T, class U>
Split<T, U> train_test_split(const Array<T>& x, const Array<U>& y, SplitOptions options) {
  const char* const name = "train_test_split";
  detail::check_rows(name, x.shape(), y.shape());
  const std::size_t test = rows_to_test(x.shape()[0], options.test);
  Stream stream = Stream(options.seed).split(tag_of_split);
  const auto order = permutation(x.shape()[0], stream);
  const auto held_out = std::span(order).first(test), kept = std::span(order).subspan(test);
  return {{detail::take_rows(name, x, kept), detail::take_rows(name, y, kept)},
          {detail::take_rows(name, x, held_out), detail::take_rows(name, y, held_out)}};
}

#define EBB_INSTANTIATE(T, U) \
  template EBB_API Split<T, U> train_test_split(const Array<T>&, const Array<U>&, SplitOptions);
EBB_INSTANTIATE(float, float)
EBB_INSTANTIATE(double, double)
EBB_INSTANTIATE(float, std::int64_t)
EBB_INSTANTIATE(double, std::int64_t)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data
