// SPDX-License-Identifier: BSD-3-Clause
// Files that are written whole or not at all.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::data::detail {

/// A file that is not there before `commit()` and is all there after it: a temporary beside the
/// target that takes its place. Destroyed without a commit, it leaves no trace, and what had stood
/// at the target stays. The new file has the permissions of the one that it replaces, or those that
/// the umask leaves to a new one. A link is followed.
class AtomicFile {
 public:
  /// @throws FileError unless a file can be made in that folder, and when something other than a
  /// plain file stands at the target.
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Writes behind what was written last. @throws FileError when the system refuses.
  void write(const void* bytes, std::int64_t count);
  void write(std::string_view bytes) { write(bytes.data(), std::int64_t(bytes.size())); }
  /// Where the next write goes.
  std::int64_t position() const { return position_; }
  void seek(std::int64_t position) { position_ = position; }

  /// Brings the bytes to the disk and the file to its place. @throws FileError.
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what, int error) const;
  void open_temporary(const std::string& folder, unsigned mode);
  void discard();

  std::string path_;       ///< as the user wrote it
  std::string target_;     ///< behind all links
  std::string temporary_;  ///< empty when there is none
  int descriptor_ = -1;
  std::int64_t position_ = 0;
};

}  // namespace ebb::inline v0::data::detail
