// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/row_source.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <system_error>

#include "ebb/autodiff/kernels/row_copy.hpp"
#include "ebb/data/formats/npy_format.hpp"

namespace ebb::inline v0::data::detail {
namespace {

/// Rows of a file that is mapped into memory.
class MappedRows : public RowSource {
 public:
  MappedRows(std::unique_ptr<const BinaryFile> file, const RowLayout& layout)
      : RowSource(layout), file_(std::move(file)), length_(std::size_t(file_->size())) {
    if (length_ == 0) return;
    memory_ = ::mmap(nullptr, length_, PROT_READ, MAP_SHARED, file_->descriptor(), 0);
    if (memory_ == MAP_FAILED) {
      throw FileError(file_->name() + ": cannot be mapped (" +
                      std::generic_category().message(errno) +
                      "); open it through a window, which takes less room");
    }
  }
  ~MappedRows() override {
    if (length_ > 0) ::munmap(memory_, length_);
  }

  void copy(std::byte* out, std::span<const std::int64_t> indices) const override {
    file_->check_unchanged();  // before pages are touched that may no longer exist
    ebb::detail::copy_rows(out, first_row(), std::size_t(layout().row_bytes), layout().rows(),
                           indices);
    file_->check_unchanged();
  }
  void prefetch(std::span<const std::int64_t> indices) const override {
    ebb::detail::fetch_rows(first_row(), std::size_t(layout().row_bytes), layout().rows(), indices);
  }
  std::int64_t block_rows() const override { return layout().rows_in(block_bytes); }
  std::int64_t bytes_read() const override { return 0; }

 private:
  const std::byte* first_row() const {
    return static_cast<const std::byte*>(memory_) + layout().offset;
  }

  std::unique_ptr<const BinaryFile> file_;
  std::size_t length_;
  void* memory_ = nullptr;
};

}  // namespace

RowSource::~RowSource() = default;

RowLayout npy_layout(const BinaryFile& file, ElementType type) {
  FileReader reader(file);
  const ElementLayout layout = read_npy_header(reader);
  const std::int64_t offset = reader.position();
  const auto fail = [&](const std::string& what) { reader.fail(offset, what); };
  if (layout.type != type) {
    fail(std::string("its elements are ") + name_of(layout.type) + ", not " + name_of(type) +
         "; open it as that, or read_npy converts them");
  }
  if (layout.big_endian) fail("its elements are big-endian; read_npy turns them");
  if (layout.fortran_order && layout.shape.rank() > 1) {
    fail("it is in Fortran order, column after column; read_npy converts it");
  }
  if (layout.shape.rank() == 0) fail("it holds one number and no rows; read_npy reads it");
  const std::int64_t bytes = layout.bytes();
  if (bytes > reader.left()) {
    fail("the shape " + to_string(layout.shape) + " of " + name_of(type) + " takes " +
         count_of(bytes, "byte") + ", but only " + std::to_string(reader.left()) + " follow");
  }
  if (bytes < reader.left()) {
    reader.fail(offset + bytes,
                "the file continues after the last element, which does not match its header");
  }
  const std::int64_t rows = layout.shape[0];
  return {layout.shape, offset, rows == 0 ? 0 : bytes / rows};
}

RowLayout raw_layout(const char* operation, const BinaryFile& file, const RawRows& rows,
                     ElementType type) {
  const auto fail = [&](const std::string& what) {
    throw ArgumentError(std::string(operation) + ": " + what);
  };
  if (rows.row.rank() >= Shape::max_rank) {
    fail("rows of shape " + to_string(rows.row) + "; they have five axes at most");
  }
  if (rows.row.size() == 0) {
    fail("rows of shape " + to_string(rows.row) + " have no elements to read");
  }
  if (rows.offset < 0) fail("the offset " + std::to_string(rows.offset) + " is negative");
  if (rows.count.value_or(0) < 0) {
    fail("the count " + std::to_string(*rows.count) + " is negative");
  }
  const std::int64_t row_bytes = rows.row.size() * size_of(type);
  const std::int64_t left = file.size() - rows.offset;
  if (left < 0) {
    file.fail(file.size(),
              "the file ends here, before its first row at byte " + std::to_string(rows.offset));
  }
  const std::int64_t there = left / row_bytes, count = rows.count.value_or(there);
  if (count > there) {
    file.fail(file.size(), "the file ends here, after " + count_of(there, "row") + " of the " +
                               std::to_string(count) + " that it should have");
  }
  if (!rows.count && left % row_bytes != 0) {
    file.fail(file.size(), "the file ends here, within row " + std::to_string(there) +
                               "; a row takes " + count_of(row_bytes, "byte"));
  }
  std::int64_t sizes[Shape::max_rank] = {count};
  std::copy(rows.row.sizes().begin(), rows.row.sizes().end(), sizes + 1);
  return {Shape(std::span<const std::int64_t>(sizes, std::size_t(rows.row.rank()) + 1)),
          rows.offset, row_bytes};
}

std::shared_ptr<const RowSource> map_rows(std::unique_ptr<const BinaryFile> file,
                                          const RowLayout& layout) {
  return std::make_shared<MappedRows>(std::move(file), layout);
}

}  // namespace ebb::inline v0::data::detail
