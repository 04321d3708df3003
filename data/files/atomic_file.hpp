// SPDX-License-Identifier: BSD-3-Clause
// Files that are written whole or not at all.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::data::detail {

/// A file that does not exist before `commit()` and is complete after it: a temporary file in the
/// same folder, which then replaces the target. Without a commit the target does not change and
/// nothing is left, even if the program is killed, where the file system has files without a name.
/// The new file gets the permissions of the file that it replaces, or those that the umask gives to
/// a new file. A symbolic link is followed. A device or a pipe, such as
/// "/dev/stdout", is not replaced but written to directly, whatever is behind it.
class EBB_API AtomicFile {
 public:
  /// @throws FileError if no file can be made in the folder of the target, and if the target can
  /// only be a folder.
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Appends bytes at the current position.
  /// @throws FileError when the system refuses.
  void write(const void* bytes, std::int64_t count);
  void write(std::string_view bytes) { write(bytes.data(), std::int64_t(bytes.size())); }
  /// The position of the next write.
  std::int64_t position() const { return position_; }
  void seek(std::int64_t position) { position_ = position; }

  /// Writes the file to the disk and moves it to the target.
  /// @throws FileError when the system refuses.
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what, int error) const;
  void open_temporary(const std::string& folder, unsigned mode);
  /// Gives a file that has no name yet one in this folder.
  void name_temporary(const std::string& folder);
  void discard();

  std::string path_;       ///< the path as the user gave it
  std::string target_;     ///< the path after following all links
  std::string temporary_;  ///< empty when there is none, and for a file without a name
  int descriptor_ = -1;
  std::int64_t position_ = 0;
  bool is_device_ = false;  ///< there is no temporary file
  std::int64_t sent_ = 0;   ///< the bytes that a device was given
};

}  // namespace ebb::inline v0::data::detail
