// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
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

/// The number of the open file that a name such as "/dev/stdout" or "/dev/fd/3" stands for;
/// otherwise -1.
int open_descriptor(const std::string& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    int number = -1;
    const char* const end = path.data() + path.size();
    const auto [p, code] = std::from_chars(path.data() + folder.size(), end, number);
    if (code == std::errc() && p == end) return number;
  }
  return -1;
}

/// Tries temporary names until one is free: 0, or the error, with an empty name. They are short,
/// since the name of the target may be as long as the system allows.
template <class F>
int with_temporary_name(const std::string& folder, std::string& name, const F& f) {
  static std::atomic<unsigned> count = 0;
  int error = EEXIST;
  for (int attempt = 0; attempt < 10000 && error == EEXIST; ++attempt) {
    name = folder + "/.ebb-" + std::to_string(::getpid()) + '-' + std::to_string(count++) + ".tmp";
    if (f()) return 0;
    error = errno;
  }
  name.clear();
  return error;
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path)
    : path_(path), target_(behind_links(path).string()) {
  if (const int open = open_descriptor(path); open >= 0) {
    descriptor_ = ::fcntl(open, F_DUPFD_CLOEXEC, 0);
    is_device_ = true;
    if (descriptor_ < 0) fail("cannot be written", errno);
    return;
  }
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  if (replaces && S_ISDIR(old.st_mode)) {
    throw FileError(path_ + ": cannot be written: it is a folder; give another name");
  }
  // Renaming onto a device or a pipe would remove it.
  if (replaces && !S_ISREG(old.st_mode)) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    is_device_ = true;
    if (descriptor_ < 0) fail("cannot be written", errno);
    return;
  }
  open_temporary(folder_of(target_), 0666);
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

void AtomicFile::open_temporary(const std::string& folder, unsigned mode) {
  // A file without a name is gone with the program. It gets its name through /proc.
  if (::access("/proc/self/fd", X_OK) == 0) {
    descriptor_ = ::open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
    if (descriptor_ >= 0) return;
  }
  const int error = with_temporary_name(folder, temporary_, [&] {
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    return descriptor_ >= 0;
  });
  if (error != 0) fail("cannot be written: no file can be made in its folder", error);
}

void AtomicFile::name_temporary(const std::string& folder) {
  const std::string unnamed = "/proc/self/fd/" + std::to_string(descriptor_);
  const int error = with_temporary_name(folder, temporary_, [&] {
    return ::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) ==
           0;
  });
  if (error != 0) fail("the written file cannot be moved to this name", error);
}

void AtomicFile::discard() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  descriptor_ = -1;
  temporary_.clear();
}

void AtomicFile::write(const void* bytes, std::int64_t count) {
  auto from = static_cast<const char*>(bytes);
  if (is_device_ && count > 0 && position_ != sent_) {
    throw FileError(path_ + ": this format is not written in one go; write it to a plain file");
  }
  while (count > 0) {
    // A write of more than 2 GiB at once is not possible.
    const auto part = std::size_t(std::min(count, std::int64_t(1) << 30));
    const ssize_t written = is_device_ ? ::write(descriptor_, from, part)
                                       : ::pwrite(descriptor_, from, part, position_);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = written < 0 ? errno : ENOSPC;
      fail(is_device_ ? "cannot be written" : "cannot be written; nothing was changed", error);
    }
    from += written;
    count -= written;
    position_ += written;
    sent_ = position_;
  }
}

void AtomicFile::commit() {
  if (is_device_) return discard();
  if (::fsync(descriptor_) != 0) fail("cannot be brought to the disk", errno);
  const std::string folder = folder_of(target_);
  if (temporary_.empty()) name_temporary(folder);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail("cannot be brought to the disk", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail("the written file cannot be moved to this name", errno);
  }
  temporary_.clear();
  // The name is safely on the disk only after its folder is synchronized. Some file systems cannot
  // do that, which is not an error.
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  const bool lost = ::fsync(directory) != 0 && errno == EIO;
  ::close(directory);
  if (lost) fail("was written, but its folder cannot be synchronized to the disk", EIO);
}

}  // namespace ebb::inline v0::data::detail
