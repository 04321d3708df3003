// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/csv_columns.hpp"

#include <algorithm>

#include "ebb/data/files/number.hpp"

namespace ebb::inline v0::data::detail {

std::int64_t Levels::find(std::string_view text) const {
  const auto found = codes_.find(text);
  return found == codes_.end() ? -1 : found->second;
}

std::int64_t Levels::add(std::string_view text) {
  const std::int64_t code = size();
  codes_.emplace(text, code);
  return code;
}

std::int64_t Levels::count_texts(char decimal) const {
  return std::count_if(codes_.begin(), codes_.end(), [&](const auto& level) {
    double ignored = 0;
    return spelled_number(level.first, ignored, decimal) == Spelled::nothing;
  });
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
