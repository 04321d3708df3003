// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/csv_columns.hpp"

#include <algorithm>
#include <iterator>

#include "ebb/data/files/number.hpp"

namespace ebb::inline v0::data::detail {
namespace {

/// True for a text without a letter or a digit, and for a word that stands for a missing value.
bool is_mark(std::string_view text) {
  constexpr std::string_view words[] = {"na",      "n.a.",    "n.a",   "n/a",       "#n/a",
                                        "nan",     "-nan",    "null",  "none",      "nil",
                                        "missing", "unknown", "<na>",  "undefined", "#value!",
                                        "#div/0!", "#ref!",   "#num!", "\u2013",    "\u2014"};
  std::string lower(text);
  bool has_word = false;
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    has_word |= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
  }
  return !has_word || std::find(std::begin(words), std::end(words), lower) != std::end(words);
}

}  // namespace

std::int64_t Levels::find(std::string_view text) const {
  const auto found = codes_.find(text);
  return found == codes_.end() ? -1 : found->second;
}

std::int64_t Levels::add(std::string_view text) {
  const std::int64_t code = size();
  codes_.emplace(text, code);
  return code;
}

LevelKinds Levels::kinds(char decimal) const {
  LevelKinds kinds;
  for (const auto& [text, code] : codes_) {
    double ignored = 0;
    if (spelled_number(text, ignored, decimal) == Spelled::nothing) {
      ++kinds.texts;
      kinds.are_marks &= is_mark(text);
    } else {
      ++kinds.numbers;
      kinds.has_fraction |= text.find_first_of(std::string("eE") + decimal) != text.npos;
    }
  }
  return kinds;
}

std::vector<std::string> Levels::sorted(std::vector<std::int64_t>& places,
                                        std::int64_t known) const {
  std::vector<std::string> others, texts(static_cast<std::size_t>(known));
  for (const auto& [text, code] : codes_) {
    if (code < known) {
      texts[std::size_t(code)] = text;
    } else if (places[std::size_t(code)] >= 0) {
      others.push_back(text);
    }
  }
  std::sort(others.begin(), others.end());
  texts.insert(texts.end(), others.begin(), others.end());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    places[std::size_t(find(texts[i]))] = std::int64_t(i);
  }
  return texts;
}

template <class T>
void RowBuffer<T>::add_block(TextFile& file) {
  const std::int64_t values = block_rows_ * width_;
  file.take(values * std::int64_t(sizeof(T)));
  blocks_.push_back(std::make_unique_for_overwrite<T[]>(std::size_t(values)));
  used_ = 0;
}

template <class T>
Array<T> RowBuffer<T>::to_array() {
  const std::int64_t all = rows();
  auto array = Array<T>::uninitialized({all, width_});
  T* out = array.mutate();
  for (auto& block : blocks_) {
    const std::int64_t here = &block == &blocks_.back() ? used_ : block_rows_;
    out = std::copy_n(block.get(), here * width_, out);
    block.reset();  // so that both copies are never in memory at once
  }
  blocks_.clear();
  return array;
}

template class RowBuffer<float>;
template class RowBuffer<double>;

}  // namespace ebb::inline v0::data::detail
