// SPDX-License-Identifier: BSD-3-Clause
// Takes any bytes for an array that stays in its file: mapped and through a window it gives the
// rows that read_npy finds, and of a raw file those that it has.
#include "ebb/data/formats/npy.hpp"
#include "ebb/data/sets/file_array.hpp"
#include "ebb/tests/fuzz/fuzz.hpp"

using namespace ebb;

namespace {

constexpr data::WindowOptions window{.memory = 128 << 10};  // more than any row of an input

template <class T>
void check(const fuzz::NamedFile& file) {
  const bool is_windowed = file.accepts([&] { data::window_npy<T>(file.path(), window); });
  const bool is_mapped = file.accepts([&] {
    const auto mapped = data::map_npy<T>(file.path());
    const auto through_window = data::window_npy<T>(file.path(), window);
    const auto whole = data::read_npy<T>(file.path());
    const auto rows = fuzz::backwards(mapped.size());
    fuzz::demand(mapped.shape() == whole.shape() && through_window.shape() == whole.shape());
    mapped.prefetch(rows);
    const auto some = mapped.rows(rows);
    fuzz::demand(fuzz::same(some, through_window.rows(rows)));
    if (whole.size() > 0) fuzz::demand(fuzz::same(some, data::detail::take_rows("", whole, rows)));
  });
  fuzz::demand(is_mapped == is_windowed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  const fuzz::NamedFile file(bytes, count);
  check<float>(file);
  check<double>(file);
  check<std::int64_t>(file);
  if (count < 2) return 0;
  const data::RawRows raw{.row = {1 + bytes[0] % 5, 1 + bytes[1] % 3}, .offset = bytes[1]};
  const auto row_bytes = std::size_t(raw.row.size()) * sizeof(float);
  const bool is_taken = file.accepts([&] {
    const auto mapped = data::map_raw<float>(file.path(), raw);
    const auto rows = fuzz::backwards(mapped.size());
    const auto some = mapped.rows(rows);
    fuzz::demand(fuzz::same(some, data::window_raw<float>(file.path(), raw, window).rows(rows)));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      fuzz::demand(std::memcmp(some.data() + i * std::size_t(raw.row.size()),
                               bytes + raw.offset + std::size_t(rows[i]) * row_bytes,
                               row_bytes) == 0);
    }
  });
  const auto offset = std::size_t(raw.offset);
  fuzz::demand(is_taken == (count >= offset && (count - offset) % row_bytes == 0));
  return 0;
}
