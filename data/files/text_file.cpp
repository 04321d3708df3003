// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/text_file.hpp"

#include <algorithm>
#include <cstring>

#include "ebb/data/files/gzip.hpp"

namespace ebb::inline v0::data::detail {
namespace {

constexpr std::size_t first_window = std::size_t(1) << 18;
constexpr std::size_t padding = 16;

/// What a file is that begins with these bytes, and what to do with it.
struct Known {
  std::string_view start;
  const char* what;
};
constexpr Known no_texts[] = {
    {"PK\x03\x04", "a zip archive, as .xlsx files are, too; extract or save the table as text"},
    {"BZh", "compressed by bzip2; decompress it, or compress it by gzip"},
    {"\xFD"
     "7zXZ",
     "compressed by xz; decompress it, or compress it by gzip"},
    {"\x28\xB5\x2F\xFD", "compressed by zstd; decompress it, or compress it by gzip"},
    {"PAR1", "a Parquet file; save the table as CSV"},
    {"SQLite format 3", "a SQLite database; read_sqlite reads it"}};

/// True for the first bytes of HTML, in letters of any case.
bool is_web_page(std::string_view start) {
  start.remove_prefix(std::min(start.size(), start.find_first_not_of(" \t\r\n")));
  const auto begins = [&](std::string_view tag) {
    return start.size() >= tag.size() &&
           std::equal(tag.begin(), tag.end(), start.begin(), [](char a, char b) {
             return a == b || (b >= 'A' && b <= 'Z' && a == b - 'A' + 'a');
           });
  };
  return begins("<!doctype html") || begins("<html");
}

}  // namespace

TextFile::TextFile(const BinaryFile& file, ReadSession& session)
    : name_(file.name()), session_(session) {
  if (is_gzip(file)) {
    auto reader = std::make_unique<GzipReader>(file);
    inflated_ = reader.get();
    reader_ = std::move(reader);
  } else {
    reader_ = std::make_unique<FileReader>(file);
  }
  session_.expect(file.size());
  window_.resize(first_window + padding);
  at_ = end_ = window_.data();
  while (end_ - at_ < 16 && !all_read_) refill();
  const std::string_view start(at_, std::size_t(end_ - at_));
  if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) {
    fail({}, "the text is UTF-16; convert it to UTF-8 first");
  }
  for (const Known& known : no_texts) {
    if (start.starts_with(known.start))
      fail({}, std::string("this is no text: it is ") + known.what);
  }
  if (start.starts_with("\xEF\xBB\xBF")) {
    at_ += 3;
    line_start_ = 3;
  }
  if (is_web_page({at_, std::size_t(end_ - at_)})) {
    fail({}, "this is a web page and no table; download the file that it shows or links to");
  }
}

void TextFile::refill() {
  const auto left = std::size_t(end_ - at_);
  offset_ += at_ - window_.data();
  std::memmove(window_.data(), at_, left);
  at_ = window_.data();
  end_ = at_ + left;
  // A field that fills half of the room gets twice the room, so that reading a long field takes
  // linear time.
  if (const std::size_t room = window_.size() - padding; left > room / 2) {
    take(std::int64_t(2 * room));  // as much again for the copy of such a field
    window_.resize(2 * room + padding);
    at_ = window_.data();
    end_ = at_ + left;
  }
  if (point_distance_ > 0 && !all_read_ &&
      inflated_->position() - points_.back()->position() >= point_distance_) {
    points_.push_back(inflated_->point());
  }
  char* const to = window_.data() + left;
  const std::int64_t got = reader_->read_up_to(to, std::int64_t(window_.size() - padding - left));
  end_ = to + got;
  std::memset(to + got, 0, padding);
  all_read_ = got == 0;
  const std::int64_t consumed = reader_->consumed();
  if (consumed > consumed_) session_.advance(consumed - consumed_);
  consumed_ = consumed;
}

void TextFile::collect_points(const BinaryFile& file, std::int64_t distance) {
  if (!inflated_) return;
  point_distance_ = distance;
  points_.push_back(GzipReader(file).point());  // the bytes in the window are after no other
}

void TextFile::seek(const BinaryFile& file, const Place& from, std::int64_t end,
                    const GzipPoint* point) {
  if (point) {
    auto reader = std::make_unique<GzipReader>(file, *point);
    for (std::int64_t left = from.offset - point->position(); left > 0;) {
      const std::int64_t part = std::min(left, std::int64_t(window_.size()));
      reader->read(window_.data(), part, "the text before a row");
      left -= part;
    }
    inflated_ = reader.get();
    reader_ = std::move(reader);
  } else {
    reader_ = std::make_unique<FileReader>(file, from.offset, end);
  }
  at_ = end_ = window_.data();
  all_read_ = false;
  line_ = from.line;
  offset_ = line_start_ = from.offset;
  consumed_ = 0;
}

bool TextFile::at_end() {
  while (cut(at_)) refill();
  return at_ == end_;
}

std::string_view TextFile::rest_of_line() {
  const auto is_end = [](char c) { return c == '\n' || c == '\r'; };
  const char* stop = std::find_if(at_, end_, is_end);
  while (cut(stop) || (stop != end_ && *stop == '\r' && cut(stop + 1))) {
    const auto searched = stop - at_;
    refill();
    stop = std::find_if(at_ + searched, end_, is_end);
  }
  const std::string_view text(at_, std::size_t(stop - at_));
  if (stop == end_) {
    at_ = stop;
  } else {
    start_line(after_line_end(stop));
  }
  return text;
}

void TextFile::skip_line() {
  for (;;) {
    const char* const stop = std::find_if(at_, end_, [](char c) { return c == '\n' || c == '\r'; });
    at_ = stop;
    if (stop == end_) {
      if (all_read_) return;
    } else if (*stop == '\n' || !cut(stop + 1)) {
      return start_line(after_line_end(stop));
    }
    refill();
  }
}

void TextFile::take(std::int64_t bytes) {
  if (session_.try_take(bytes)) return;
  fail(here(), "the values read so far take all allowed memory except " +
                   count_of(session_.left(), "byte") + "; set max_bytes to read more");
}

}  // namespace ebb::inline v0::data::detail
