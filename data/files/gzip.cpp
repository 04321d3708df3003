// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>

namespace ebb::inline v0::data::detail {
namespace {

constexpr std::int64_t window = 64 << 10;
constexpr std::int64_t most = 1 << 30;  // zlib counts in 32 bits
constexpr int gzip_format = 15 + 16;    // the largest window, and gzip's header

}  // namespace

bool is_gzip(const BinaryFile& file) {
  unsigned char magic[2] = {};
  if (file.size() < 2) return false;
  file.read(0, magic, 2);
  return magic[0] == 0x1f && magic[1] == 0x8b;
}

struct GzipReader::Stream {
  z_stream z{};
  std::int64_t offset = 0;  // the offset in the file of the first byte that is not in the window
  bool between = false;     // a member has ended
  unsigned char in[window];

  Stream() {
    if (inflateInit2(&z, gzip_format) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&z); }
};

GzipReader::GzipReader(const BinaryFile& file)
    : ByteReader(file.name() + " (inflated)"), file_(file), stream_(std::make_unique<Stream>()) {}
GzipReader::~GzipReader() = default;

struct GzipPoint::State {
  z_stream z{};
  std::int64_t offset = 0;  // the offset in the file of the next byte to inflate
  bool between = false;

  State() = default;
  State(const State&) = delete;
  ~State() { inflateEnd(&z); }
};

GzipPoint::GzipPoint(std::unique_ptr<State> state, std::int64_t position)
    : state_(std::move(state)), position_(position) {}
GzipPoint::~GzipPoint() = default;

GzipReader::GzipReader(const BinaryFile& file, const GzipPoint& point)
    : ByteReader(file.name() + " (inflated)", point.position_),
      file_(file),
      stream_(std::make_unique<Stream>()) {
  inflateEnd(&stream_->z);
  if (inflateCopy(&stream_->z, &point.state_->z) != Z_OK) throw std::bad_alloc();
  stream_->z.next_in = stream_->in;
  stream_->z.avail_in = 0;
  stream_->offset = point.state_->offset;
  stream_->between = point.state_->between;
}

std::shared_ptr<const GzipPoint> GzipReader::point() const {
  auto state = std::make_unique<GzipPoint::State>();
  if (inflateCopy(&state->z, &stream_->z) != Z_OK) throw std::bad_alloc();
  state->offset = consumed();
  state->between = stream_->between;
  return std::shared_ptr<const GzipPoint>(new GzipPoint(std::move(state), position()));
}

std::int64_t GzipReader::left() const {
  // In addition to its input, zlib may hold fewer than 64 bits of it, and the rest of one match.
  return (file_.size() - stream_->offset + std::int64_t(stream_->z.avail_in) + 8) * max_inflation;
}

std::int64_t GzipReader::consumed() const {
  return stream_->offset - std::int64_t(stream_->z.avail_in);
}

void GzipReader::refill() {
  Stream& s = *stream_;
  const std::int64_t count = std::min(window, file_.size() - s.offset);
  if (count == 0 && !s.between) file_.fail(file_.size(), "the file ends within compressed data");
  file_.read(s.offset, s.in, count);
  s.offset += count;
  s.z.next_in = s.in;
  s.z.avail_in = uInt(count);
}

std::int64_t GzipReader::read_some(void* to, std::int64_t count) {
  Stream& s = *stream_;
  std::int64_t done = 0;
  while (done < count) {
    if (s.z.avail_in == 0) refill();
    if (s.between) {
      // Tapes and some programs fill the last block with zeros.
      for (; s.z.avail_in > 0 && *s.z.next_in == 0; --s.z.avail_in) ++s.z.next_in;
      if (s.z.avail_in == 0 && s.offset < file_.size()) continue;
      if (s.z.avail_in == 0) break;
      inflateReset(&s.z);
      s.between = false;
    }
    const std::int64_t part = std::min(count - done, most);
    s.z.next_out = static_cast<Bytef*>(to) + done;
    s.z.avail_out = uInt(part);
    const int code = inflate(&s.z, Z_NO_FLUSH);
    done += part - std::int64_t(s.z.avail_out);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code == Z_STREAM_END) {
      s.between = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      file_.fail(s.offset - std::int64_t(s.z.avail_in),
                 std::string("the compressed data are damaged (") +
                     (s.z.msg ? s.z.msg : "a dictionary is missing") + ")");
    }
  }
  return done;
}

struct GzipWriter::Stream {
  z_stream z{};
  unsigned char out[window];

  Stream() {
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_format, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Stream() { deflateEnd(&z); }
};

GzipWriter::GzipWriter(AtomicFile& file) : file_(file), stream_(std::make_unique<Stream>()) {}
GzipWriter::~GzipWriter() = default;

void GzipWriter::deflate_all(int flush) {
  z_stream& z = stream_->z;
  do {
    z.next_out = stream_->out;
    z.avail_out = uInt(window);
    deflate(&z, flush);
    file_.write(stream_->out, window - std::int64_t(z.avail_out));
  } while (z.avail_out == 0);
}

void GzipWriter::write(const void* bytes, std::int64_t count) {
  z_stream& z = stream_->z;
  auto from = static_cast<const Bytef*>(bytes);
  while (count > 0) {
    const std::int64_t part = std::min(count, most);
    z.next_in = const_cast<Bytef*>(from);  // zlib's interface has no const
    z.avail_in = uInt(part);
    deflate_all(Z_NO_FLUSH);
    from += part;
    count -= part;
  }
}

void GzipWriter::finish() { deflate_all(Z_FINISH); }

}  // namespace ebb::inline v0::data::detail
