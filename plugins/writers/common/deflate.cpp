#include "common/deflate.hpp"

#include <fmt/format.h>
#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>

#include "spim/error.hpp"

namespace spim::chunked {

namespace {

constexpr int kLevels = 10;

struct Free {
  void operator()(libdeflate_compressor* c) const noexcept { libdeflate_free_compressor(c); }
};

/// This thread's compressor of `level`: making one costs more than a small chunk does.
libdeflate_compressor* compressor_of(int level) {
  static thread_local std::unique_ptr<libdeflate_compressor, Free> compressors[kLevels];
  auto& compressor = compressors[std::clamp(level, 0, kLevels - 1)];
  if (!compressor) compressor.reset(libdeflate_alloc_compressor(level));
  if (!compressor) throw std::bad_alloc();
  return compressor.get();
}

[[noreturn]] void fail_size(std::size_t expected) {
  throw Error(fmt::format("its zlib data do not hold the expected {} bytes", expected));
}

/// Decodes member after member; ends the stream however it is left.
class Inflater {
 public:
  explicit Inflater(std::span<const std::byte> stored) {
    // What is stored is a chunk or an index of one, far below the 4 GiB of zlib's counters.
    if (stored.size() > std::numeric_limits<uInt>::max())
      throw Error(fmt::format("its {} bytes are too many for one chunk", stored.size()));
    // 32: zlib and gzip headers are told apart by themselves.
    if (inflateInit2(&stream_, MAX_WBITS + 32) != Z_OK) throw Error("zlib could not be started");
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(stored.data()));
    stream_.avail_in = static_cast<uInt>(stored.size());
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Decodes into `to` until it is full or the data end; returns the bytes that were made.
  std::size_t fill(std::span<std::byte> to) {
    stream_.next_out = reinterpret_cast<Bytef*>(to.data());
    stream_.avail_out = static_cast<uInt>(to.size());
    while (!ended_) {
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        next_member();
      } else if (code == Z_BUF_ERROR || (code == Z_OK && stream_.avail_out == 0)) {
        break;
      } else if (code != Z_OK) {
        throw Error("its zlib data are damaged");
      }
    }
    return to.size() - stream_.avail_out;
  }
  /// True when everything was decoded to the end of the last member.
  bool ended() const noexcept { return ended_; }

 private:
  void next_member() {
    ended_ = stream_.avail_in == 0;
    if (!ended_ && inflateReset(&stream_) != Z_OK) throw Error("its zlib data are damaged");
  }

  z_stream stream_{};
  bool ended_ = false;
};

/// True when nothing but the end of the data is left.
bool ends_here(Inflater& inflater) {
  std::byte one_more[1];
  return inflater.ended() || (inflater.fill(one_more) == 0 && inflater.ended());
}

}  // namespace

std::span<const std::byte> gzip_encode(int level, std::span<const std::byte> bytes, Scratch& scratch) {
  libdeflate_compressor* const compressor = compressor_of(level);
  const std::size_t bound = libdeflate_gzip_compress_bound(compressor, bytes.size());
  std::byte* const to = scratch.bytes(bound);
  const std::size_t size = libdeflate_gzip_compress(compressor, bytes.data(), bytes.size(), to, bound);
  if (size == 0) throw Error(fmt::format("{} bytes could not be compressed with gzip", bytes.size()));
  return {to, size};
}

const std::byte* inflate_exactly(std::span<const std::byte> stored, std::size_t size, Scratch& scratch) {
  std::byte* const to = scratch.bytes(size);
  Inflater inflater(stored);
  if (inflater.fill({to, size}) != size || !ends_here(inflater)) fail_size(size);
  return to;
}

std::vector<std::byte> inflate_at_most(std::span<const std::byte> stored, std::size_t limit) {
  Inflater inflater(stored);
  std::vector<std::byte> decoded;
  std::size_t room = std::min<std::size_t>(limit, std::max<std::size_t>(4096, stored.size() * 4));
  std::size_t size = 0;
  for (;;) {
    decoded.resize(room);
    size += inflater.fill(std::span(decoded).subspan(size));
    if (inflater.ended() || size < room) break;
    if (room == limit) break;
    room = std::min(limit, room * 2);
  }
  if (!ends_here(inflater))
    throw Error(size < limit ? "its zlib data end too early"
                             : fmt::format("its zlib data hold more than the {} bytes possible", limit));
  decoded.resize(size);
  return decoded;
}

}  // namespace spim::chunked
