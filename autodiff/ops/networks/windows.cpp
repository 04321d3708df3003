// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/windows.hpp"

#include <algorithm>
#include <string>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::detail {
namespace {

void check_within(std::string_view operation, const char* name, std::int64_t value,
                  std::int64_t least) {
  constexpr std::int64_t largest = 1 << 30;  // so that products of two do not overflow
  if (value >= least && value <= largest) return;
  throw ArgumentError(std::string(operation) + ": " + name + " = " + std::to_string(value) +
                      "; it is in [" + std::to_string(least) + ", 2^30]");
}

}  // namespace

Windows::Windows(std::string_view operation, std::int64_t size_, std::int64_t kernel_,
                 std::int64_t stride_, std::int64_t padding_, std::int64_t dilation_)
    : size(size_), kernel(kernel_), stride(stride_), padding(padding_), dilation(dilation_) {
  check_within(operation, "kernel", kernel, 1);
  check_within(operation, "stride", stride, 1);
  check_within(operation, "padding", padding, 0);
  check_within(operation, "dilation", dilation, 1);
  const std::int64_t span = (kernel - 1) * dilation + 1;
  if (span > size + 2 * padding) {
    throw ShapeError(std::string(operation) + ": a kernel that spans " + std::to_string(span) +
                     " does not fit into an axis of size " + std::to_string(size) +
                     " with a padding of " + std::to_string(padding) + " at both ends");
  }
  count = (size + 2 * padding - span) / stride + 1;
}

std::int64_t Windows::windows_within(std::int64_t distance) const {
  return distance <= 0 ? 0 : std::min((distance - 1) / stride + 1, count);
}

}  // namespace ebb::inline v0::detail
