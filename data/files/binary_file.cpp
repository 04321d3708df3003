// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/binary_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace ebb::inline v0::data::detail {
namespace {

FileError error_at(const std::string& name, std::int64_t offset, const std::string& what) {
  return FileError(name + ": byte " + std::to_string(offset) + ": " + what);
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out + (text.size() > longest ? "...\"" : "\"");
}

std::string count_of(std::int64_t n, const char* what) {
  return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s");
}

BinaryFile::BinaryFile(const std::string& path) : name_(path) {
  const auto fail = [&](const std::string& why, const char* suspect) {
    if (descriptor_ >= 0) ::close(descriptor_);
    throw FileError(name_ + ": cannot be opened (" + why + "); check " + suspect);
  };
  // Without O_NONBLOCK, opening a pipe without a writer would wait for ever.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const int code = errno;
    fail(std::generic_category().message(code),
         code == EMFILE ? "how many files are open" : "the name of the file");
  }
  if (!S_ISREG(status.st_mode)) fail("it is not a plain file", "the name of the file");
  size_ = status.st_size;
  seconds_ = status.st_mtim.tv_sec;
  nanoseconds_ = status.st_mtim.tv_nsec;
}

BinaryFile::BinaryFile(std::span<const std::byte> bytes, std::string name)
    : name_(std::move(name)), size_(std::int64_t(bytes.size())), bytes_(bytes.data()) {}

BinaryFile::~BinaryFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void BinaryFile::read(std::int64_t offset, void* to, std::int64_t count) const {
  if (offset > size_ || count > size_ - offset) {
    fail(size_, "the file ends here, " + count_of(count - (size_ - offset), "byte") +
                    " before the end of what it declares");
  }
  if (descriptor_ < 0) {
    if (count > 0) std::memcpy(to, bytes_ + offset, std::size_t(count));
    return;
  }
  auto out = static_cast<char*>(to);
  while (count > 0) {
    // A read of more than 2 GiB at once is not possible.
    const auto part = std::size_t(std::min(count, std::int64_t(1) << 30));
    const ssize_t got = ::pread(descriptor_, out, part, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      fail(offset, "cannot be read (" + std::generic_category().message(errno) + ")");
    }
    if (got == 0) fail(offset, "the file became shorter while it was read; read it again");
    out += got;
    offset += got;
    count -= got;
  }
}

void BinaryFile::check_unchanged() const {
  if (descriptor_ < 0) return;
  struct stat now {};
  if (::fstat(descriptor_, &now) != 0) {
    throw FileError(name_ + ": cannot be read (" + std::generic_category().message(errno) + ")");
  }
  if (now.st_size == size_ && now.st_mtim.tv_sec == seconds_ &&
      now.st_mtim.tv_nsec == nanoseconds_) {
    return;
  }
  throw FileError(name_ + ": the file was changed since it was opened; open it again");
}

void BinaryFile::fail(std::int64_t offset, const std::string& what) const {
  throw error_at(name_, offset, what);
}

ByteReader::~ByteReader() = default;

void ByteReader::read(void* to, std::int64_t count, const char* what) {
  const std::int64_t got = read_up_to(to, count);
  if (got < count) {
    fail(position_,
         "the file ends here, " + count_of(count - got, "byte") + " before the end of " + what);
  }
}

std::int64_t ByteReader::read_up_to(void* to, std::int64_t count) {
  const std::int64_t got = read_some(to, count);
  position_ += got;
  return got;
}

void ByteReader::expect_end() {
  char more = 0;
  if (read_some(&more, 1) != 0) {
    fail(position_, "the file continues after the last element, which does not match its header");
  }
}

void ByteReader::fail(std::int64_t offset, const std::string& what) const {
  throw error_at(name_, offset, what);
}

std::int64_t FileReader::read_some(void* to, std::int64_t count) {
  count = std::min(count, left());
  file_.read(at_, to, count);
  at_ += count;
  return count;
}

}  // namespace ebb::inline v0::data::detail
