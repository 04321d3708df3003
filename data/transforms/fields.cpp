// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/fields.hpp"

#include <algorithm>

#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data {

Fields::~Fields() = default;

void Fields::check(bool holds, const std::string& otherwise) const {
  if (!holds) fail(otherwise);
}

int Fields::choose(const char* name, int value, std::initializer_list<std::string_view> names) {
  std::string text(names.begin()[value]);
  visit(name, Member(&text));
  const auto chosen = std::find(names.begin(), names.end(), text);
  std::string known;
  for (const auto& one : names) known.append(known.empty() ? "" : ", ").append(one);
  check(chosen != names.end(),
        detail::quoted(name) + " is " + detail::quoted(text) + "; there are " + known);
  return int(chosen - names.begin());
}

}  // namespace ebb::inline v0::data
