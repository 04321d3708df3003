// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/fields.hpp"

#include <algorithm>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0 {

Fields::~Fields() = default;

Fields::Level::Level(Fields& fields, std::string_view name)
    : fields_(fields), length_(fields.prefix_.size()) {
  fields_.prefix_.append(name).append(".");
}
Fields::Level::~Level() { fields_.prefix_.resize(length_); }

std::string Fields::path_of(std::string_view name) const {
  return std::string(prefix_).append(name);
}

void Fields::refuse_unless(bool holds, const std::string& otherwise) const {
  if (!holds) fail(otherwise);
}

void Fields::fail(const std::string& what) const { throw ArgumentError(what); }

int Fields::choose(std::string_view name, int value,
                   std::initializer_list<std::string_view> names) {
  std::string text(names.begin()[value]);
  this->value(path_of(name), Value(&text));
  const auto chosen = std::find(names.begin(), names.end(), text);
  std::string known;
  for (const auto& one : names) known.append(known.empty() ? "" : ", ").append(one);
  std::string otherwise = "\"";
  otherwise.append(path_of(name)).append("\" is \"").append(text).append("\"; it may be ");
  refuse_unless(chosen != names.end(), otherwise + known);
  return int(chosen - names.begin());
}

}  // namespace ebb::inline v0
