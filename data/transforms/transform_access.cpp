// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/transform_access.hpp"

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data::detail {

void TransformAccess::save(Transform& transform, Fields& fields) {
  transform.check_fitted("save");
  transform.each_member(fields);
}

void TransformAccess::load(Transform& transform, Fields& fields) {
  transform.each_member(fields);
  fields.refuse_unless(transform.rows_ > 0, "\"rows\" must be above 0");
  const Positions positions(transform.inputs_);
  for (const std::string& name : transform.uses()) {
    fields.refuse_unless(positions.has(name),
                         "it needs a column " + quoted(name) + ", which \"inputs\" has not");
  }
  try {
    transform.find_outputs();
  } catch (const Error& error) {
    fields.refuse_unless(false, error.what());
  }
  transform.fitted_on_ = {};
  transform.is_fitted_ = true;
}

}  // namespace ebb::inline v0::data::detail
