// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/zip_archive.hpp"

#include <zip.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "ebb/data/files/gzip.hpp"

namespace ebb::inline v0::data::detail {
namespace {

/// The source that libzip reads from or writes to. Exceptions must not pass through the frames of
/// libzip: they are stored here until it returns.
struct Endpoint {
  const BinaryFile* from = nullptr;
  AtomicFile* to = nullptr;
  std::int64_t read_position = 0;
  std::exception_ptr thrown;
  zip_error_t error{};

  /// The callback that libzip calls.
  static zip_int64_t call(void* self, void* data, zip_uint64_t length, zip_source_cmd_t command) {
    return static_cast<Endpoint*>(self)->answer(data, length, command);
  }

  void rethrow() {
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
  }

 private:
  std::int64_t size() const { return from ? from->size() : 0; }

  zip_int64_t answer(void* data, zip_uint64_t length, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                              ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
                                              ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
                                              ZIP_SOURCE_ACCEPT_EMPTY, -1) |
               (to ? zip_source_make_command_bitmap(
                         ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_WRITE, ZIP_SOURCE_SEEK_WRITE,
                         ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_COMMIT_WRITE, ZIP_SOURCE_ROLLBACK_WRITE,
                         ZIP_SOURCE_REMOVE, -1)
                   : 0);
      case ZIP_SOURCE_OPEN:
        read_position = 0;
        return 0;
      case ZIP_SOURCE_READ:
        return read(data, length);
      case ZIP_SOURCE_STAT:
        return stat(static_cast<zip_stat_t*>(data));
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&error, data, length);
      case ZIP_SOURCE_SEEK:
        return seek(data, length, read_position, size());
      case ZIP_SOURCE_TELL:
        return read_position;
      case ZIP_SOURCE_WRITE:
        return write(data, length);
      case ZIP_SOURCE_SEEK_WRITE:
        return seek_write(data, length);
      case ZIP_SOURCE_TELL_WRITE:
        return to->position();
      case ZIP_SOURCE_ACCEPT_EMPTY:  // an empty file is not an archive
      case ZIP_SOURCE_CLOSE:
      case ZIP_SOURCE_FREE:
      case ZIP_SOURCE_BEGIN_WRITE:
      case ZIP_SOURCE_COMMIT_WRITE:
      case ZIP_SOURCE_ROLLBACK_WRITE:
      case ZIP_SOURCE_REMOVE:
        return 0;
      default:
        zip_error_set(&error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
  }

  zip_int64_t keep_exception(int code) {
    thrown = std::current_exception();
    zip_error_set(&error, code, 0);
    return -1;
  }

  zip_int64_t read(void* data, zip_uint64_t length) try {
    const std::int64_t count =
        std::min(size() - read_position, std::int64_t(std::min(length, zip_uint64_t(1) << 62)));
    from->read(read_position, data, count);
    read_position += count;
    return count;
  } catch (...) {
    return keep_exception(ZIP_ER_READ);
  }

  zip_int64_t write(const void* data, zip_uint64_t length) try {
    to->write(data, std::int64_t(length));
    return zip_int64_t(length);
  } catch (...) {
    return keep_exception(ZIP_ER_WRITE);
  }

  zip_int64_t stat(zip_stat_t* status) const {
    zip_stat_init(status);
    status->valid = ZIP_STAT_SIZE;
    status->size = zip_uint64_t(size());
    return sizeof *status;
  }

  zip_int64_t seek(void* data, zip_uint64_t length, std::int64_t& position, std::int64_t end) {
    const zip_int64_t to_position = zip_source_seek_compute_offset(
        zip_uint64_t(position), zip_uint64_t(end), data, length, &error);
    if (to_position < 0) return -1;
    position = to_position;
    return 0;
  }

  zip_int64_t seek_write(void* data, zip_uint64_t length) {
    std::int64_t position = to->position();
    if (seek(data, length, position, ZIP_INT64_MAX) != 0) return -1;
    to->seek(position);
    return 0;
  }
};

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Handle = std::unique_ptr<zip_t, Discard>;

/// Opens an archive over an endpoint, which must outlive it; null with the reason in
/// `endpoint.error`.
Handle open_archive(Endpoint& endpoint, int flags) {
  zip_source_t* const source =
      zip_source_function_create(&Endpoint::call, &endpoint, &endpoint.error);
  if (!source) throw std::bad_alloc();
  Handle archive(zip_open_from_source(source, flags, &endpoint.error));
  if (!archive) zip_source_free(source);
  return archive;
}

/// The inflated bytes of one member.
class MemberReader : public ByteReader {
 public:
  MemberReader(std::string name, zip_file_t* member, std::int64_t size, Endpoint& endpoint)
      : ByteReader(std::move(name)), member_(member), left_(size), endpoint_(endpoint) {}
  ~MemberReader() override { zip_fclose(member_); }
  std::int64_t left() const override { return left_; }

 protected:
  std::int64_t read_some(void* to, std::int64_t count) override {
    std::int64_t done = 0;
    while (done < count) {
      const zip_int64_t got =
          zip_fread(member_, static_cast<char*>(to) + done, zip_uint64_t(count - done));
      if (got < 0) {
        endpoint_.rethrow();
        fail(position() + done,
             std::string("the archive is damaged here (") + zip_file_strerror(member_) + ")");
      }
      if (got > left_ || (got == 0 && left_ > 0)) {
        fail(position() + done + got, "the archive declares another length of this member");
      }
      if (got == 0) break;
      done += got;
      left_ -= got;
    }
    return done;
  }

 private:
  zip_file_t* member_;
  std::int64_t left_;
  Endpoint& endpoint_;
};

}  // namespace

struct ZipReader::Archive {
  explicit Archive(const BinaryFile& f) : file(f) { endpoint.from = &f; }

  /// The properties that the archive declares for a member.
  zip_stat_t status(std::int64_t member) const {
    zip_stat_t s;
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                    ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(handle.get(), zip_uint64_t(member), 0, &s) != 0 ||
        (s.valid & needed) != needed) {
      file.fail(0, "the archive's member " + std::to_string(member) + " cannot be read (" +
                       zip_strerror(handle.get()) + ")");
    }
    const auto fail = [&](const std::string& what) {
      file.fail(0, "the archive's member " + printable(s.name) + ' ' + what);
    };
    if (s.encryption_method != ZIP_EM_NONE) fail("is encrypted; save it without a password");
    if (s.comp_method != ZIP_CM_STORE && s.comp_method != ZIP_CM_DEFLATE) {
      fail("is compressed by method " + std::to_string(s.comp_method) +
           "; only stored and deflated ones are read");
    }
    const bool stored = s.comp_method == ZIP_CM_STORE;
    if (s.comp_size > zip_uint64_t(file.size()) ||
        (stored ? s.size != s.comp_size : s.size > (s.comp_size + 1) * max_inflation)) {
      fail("declares " + std::to_string(s.size) + " bytes in " + std::to_string(s.comp_size) +
           " compressed ones of a file of " + std::to_string(file.size()));
    }
    return s;
  }

  const BinaryFile& file;
  Endpoint endpoint;
  Handle handle;
};

ZipReader::ZipReader(const BinaryFile& file) : archive_(std::make_unique<Archive>(file)) {
  Endpoint& endpoint = archive_->endpoint;
  archive_->handle = open_archive(endpoint, ZIP_RDONLY);
  if (!archive_->handle) {
    endpoint.rethrow();
    file.fail(0, std::string("this is not a zip archive, or a damaged one (") +
                     zip_error_strerror(&endpoint.error) + ")");
  }
}
ZipReader::~ZipReader() = default;

std::int64_t ZipReader::members() const { return zip_get_num_entries(archive_->handle.get(), 0); }

std::string ZipReader::name(std::int64_t member) const { return archive_->status(member).name; }

std::int64_t ZipReader::size(std::int64_t member) const {
  return std::int64_t(archive_->status(member).size);
}

std::unique_ptr<ByteReader> ZipReader::open(std::int64_t member) const {
  const zip_stat_t status = archive_->status(member);
  zip_file_t* const bytes = zip_fopen_index(archive_->handle.get(), zip_uint64_t(member), 0);
  if (!bytes) {
    archive_->endpoint.rethrow();
    archive_->file.fail(0, "the archive's member " + printable(status.name) +
                               " cannot be opened (" + zip_strerror(archive_->handle.get()) + ")");
  }
  return std::make_unique<MemberReader>(archive_->file.name() + ": " + status.name, bytes,
                                        std::int64_t(status.size), archive_->endpoint);
}

struct ZipWriter::Archive {
  Archive(AtomicFile& f, std::string n) : file(f), name(std::move(n)) { endpoint.to = &f; }

  [[noreturn]] void fail() {
    endpoint.rethrow();
    throw FileError(name + ": the archive cannot be written (" + zip_strerror(handle.get()) + ")");
  }

  AtomicFile& file;
  std::string name;
  Endpoint endpoint;
  Handle handle;
};

ZipWriter::ZipWriter(AtomicFile& file, std::string name)
    : archive_(std::make_unique<Archive>(file, std::move(name))) {
  archive_->handle = open_archive(archive_->endpoint, ZIP_CREATE | ZIP_TRUNCATE);
  if (!archive_->handle) {
    throw FileError(archive_->name + ": the archive cannot be begun (" +
                    zip_error_strerror(&archive_->endpoint.error) + ")");
  }
}
ZipWriter::~ZipWriter() = default;

void ZipWriter::add(const std::string& name, std::string_view header, const void* bytes,
                    std::int64_t count, bool compress) {
  zip_t* const handle = archive_->handle.get();
  const auto fail_name = [&] {
    throw ArgumentError(archive_->name + ": the archive cannot have a member " + printable(name) +
                        "; a name is UTF-8 of less than 64 KiB, without zero bytes");
  };
  if (name.size() > 0xffff || name.find('\0') != name.npos) fail_name();
  zip_buffer_fragment_t parts[2] = {};
  // libzip does not write through these pointers, but its interface has no const.
  parts[0].data = reinterpret_cast<zip_uint8_t*>(const_cast<char*>(header.data()));
  parts[0].length = header.size();
  parts[1].data = static_cast<zip_uint8_t*>(const_cast<void*>(bytes));
  parts[1].length = zip_uint64_t(count);
  zip_source_t* const source = zip_source_buffer_fragment(handle, parts, count > 0 ? 2 : 1, 0);
  if (!source) archive_->fail();
  const zip_int64_t member = zip_file_add(handle, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (member < 0) {
    const bool name_is_bad = zip_error_code_zip(zip_get_error(handle)) == ZIP_ER_INVAL;
    zip_source_free(source);
    if (name_is_bad) fail_name();
    archive_->fail();
  }
  // The first day that the format can express, as in NumPy, so that equal arrays give equal files.
  constexpr zip_uint16_t first_day = 1 << 5 | 1;
  if (zip_set_file_compression(handle, zip_uint64_t(member),
                               compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(handle, zip_uint64_t(member), 0, first_day, 0) != 0) {
    archive_->fail();
  }
}

void ZipWriter::finish() {
  if (zip_get_num_entries(archive_->handle.get(), 0) == 0) {
    // libzip writes no archive without members. This is the end of an empty directory.
    archive_->file.write(std::string("PK\5\6") + std::string(18, '\0'));
    return;
  }
  if (zip_close(archive_->handle.get()) != 0) archive_->fail();
  (void)archive_->handle.release();  // closed
}

}  // namespace ebb::inline v0::data::detail
