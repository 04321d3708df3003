// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace ebb::inline v0::data::detail {
namespace {

namespace fs = std::filesystem;

/// The path at the end of a chain of links, even if there is no file.
fs::path behind_links(fs::path path) {
  std::error_code error;
  for (int i = 0; i < 40 && fs::is_symlink(fs::symlink_status(path, error)); ++i) {
    const fs::path next = fs::read_symlink(path, error);
    if (error) break;
    path = path.parent_path() / next;  // an absolute path replaces the whole path
  }
  return path;
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path)
    : path_(path), target_(behind_links(path).string()) {
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  // Renaming onto a device or a pipe would remove it.
  if (replaces && !S_ISREG(old.st_mode)) {
    throw FileError(path_ + ": cannot be written: it is not a plain file; give another name");
  }
  const std::string folder = fs::path(target_).parent_path().string();
  open_temporary(folder.empty() ? "." : folder, 0666);
  if (replaces && ::fchmod(descriptor_, old.st_mode & 07777) != 0) {
    const int error = errno;
    discard();
    fail("cannot be given the permissions of the file that it replaces", error);
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::fail(const std::string& what, int error) const {
  throw FileError(path_ + ": " + what + " (" + std::generic_category().message(error) + ")");
}

/// The temporary name is short, since the name of the target may be as long as the system allows.
void AtomicFile::open_temporary(const std::string& folder, unsigned mode) {
  static std::atomic<unsigned> count = 0;
  int error = EEXIST;
  for (int attempt = 0; attempt < 10000 && error == EEXIST; ++attempt) {
    temporary_ =
        folder + "/.ebb-" + std::to_string(::getpid()) + '-' + std::to_string(count++) + ".tmp";
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor_ >= 0) return;
    error = errno;
  }
  temporary_.clear();
  fail("cannot be written: no file can be made in its folder", error);
}

void AtomicFile::discard() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  descriptor_ = -1;
  temporary_.clear();
}

void AtomicFile::write(const void* bytes, std::int64_t count) {
  auto from = static_cast<const char*>(bytes);
  while (count > 0) {
    // A write of more than 2 GiB at once is not possible.
    const auto part = std::size_t(std::min(count, std::int64_t(1) << 30));
    const ssize_t written = ::pwrite(descriptor_, from, part, position_);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("cannot be written; nothing was changed", written < 0 ? errno : ENOSPC);
    from += written;
    count -= written;
    position_ += written;
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("cannot be brought to the disk", errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail("cannot be brought to the disk", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail("the written file cannot be moved to this name", errno);
  }
  temporary_.clear();
  // The name is safely on the disk only after its folder is synchronized. Some file systems cannot
  // do that, which is not an error.
  const std::string folder = fs::path(target_).parent_path().string();
  const int directory =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  const bool lost = ::fsync(directory) != 0 && errno == EIO;
  ::close(directory);
  if (lost) fail("was written, but its folder cannot be synchronized to the disk", EIO);
}

}  // namespace ebb::inline v0::data::detail
