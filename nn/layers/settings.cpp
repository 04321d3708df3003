// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/settings.hpp"

#include <algorithm>

namespace ebb::inline v0::nn::detail {

void visit(Fields& field, std::string_view name, HeightWidth& both) {
  std::vector<std::int64_t> list{both.height, both.width};
  field(name, list);
  field.refuse_unless(list.size() == 2,
                      '"' + std::string(name) + "\" must be a list of height and width");
  both = {list[0], list[1]};
}

void visit(Fields& field, std::string_view name, Shape& shape) {
  std::vector<std::int64_t> list(shape.sizes().begin(), shape.sizes().end());
  field(name, list);
  constexpr std::int64_t largest = 1 << 30;  // so that no product of six overflows in the check
  const bool fits = list.size() <= std::size_t(Shape::max_rank) &&
                    std::all_of(list.begin(), list.end(),
                                [](std::int64_t size) { return size >= 0 && size <= largest; });
  field.refuse_unless(fits, '"' + std::string(name) + "\" must be a list of at most six sizes");
  shape = Shape(list);
}

}  // namespace ebb::inline v0::nn::detail
