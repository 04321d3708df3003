// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/csv_names.hpp"

#include "ebb/data/files/number.hpp"

namespace ebb::inline v0::data::detail {

std::string one_column(const std::string& text, char separator) {
  return "there is one column, but " + quoted(text) + " has " +
         (separator == '\t'  ? "a tab"
          : separator == ' ' ? "a blank"
                             : quoted({&separator, 1})) +
         " in it; set CsvOptions::separator to " +
         (separator == '\t' ? std::string("'\\t'") : std::string{'\'', separator, '\''}) +
         " if it separates fields, or put the text in quotes";
}

void NumberNames::add(const std::string& name, Mark at, bool is_missing, char decimal) {
  double ignored = 0;
  if (spelled_number(name, ignored, decimal) != Spelled::number) {
    has_text |= !is_missing;
    return;
  }
  const bool is_decimal = name.find(decimal) != name.npos;
  if (count++ == 0 || (is_decimal && !has_decimal)) {
    mark = at;
    text = name;
  }
  has_decimal |= is_decimal;
}

}  // namespace ebb::inline v0::data::detail
