// SPDX-License-Identifier: BSD-3-Clause
// Settings of layers that are no plain numbers, as fields.
#pragma once
#include <string_view>

#include "ebb/autodiff/operations/networks.hpp"
#include "ebb/autodiff/values/fields.hpp"

namespace ebb::inline v0::nn::detail {

/// Visits height and width as a list.
void visit(Fields& field, std::string_view name, HeightWidth& both);
/// Visits the sizes as a list.
void visit(Fields& field, std::string_view name, Shape& shape);

}  // namespace ebb::inline v0::nn::detail
