#include "chunk_decoder.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "common/blosc_codec.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace {

[[noreturn]] void fail_size(const char* codec, std::size_t expected) {
  throw Error(fmt::format("its {} data do not hold the expected {} bytes", codec, expected));
}

/// Ends an inflate stream however it is left.
struct Inflater {
  z_stream stream{};
  Inflater() {
    // 32: zlib and gzip headers are told apart by themselves.
    if (inflateInit2(&stream, MAX_WBITS + 32) != Z_OK) throw Error("zlib could not be started");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }
};

// Chunks are below 2 GiB, so every length fits zlib's uInt.
const std::byte* inflate_chunk(std::span<const std::byte> stored, std::size_t size,
                               chunked::Scratch& scratch) {
  std::byte* to = scratch.bytes(size);
  Inflater inflater;
  z_stream& stream = inflater.stream;
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(to);
  stream.avail_out = static_cast<uInt>(size);
  for (;;) {
    const int code = inflate(&stream, Z_FINISH);
    if (code != Z_STREAM_END) {
      if (code == Z_DATA_ERROR || code == Z_NEED_DICT) throw Error("its zlib data are damaged");
      fail_size("zlib", size);
    }
    if (stream.avail_in == 0) break;
    // gzip files may be several members in a row.
    if (inflateReset(&stream) != Z_OK) throw Error("its zlib data are damaged");
  }
  if (stream.avail_out != 0) fail_size("zlib", size);
  return to;
}

const std::byte* decompress_zstd(std::span<const std::byte> stored, std::size_t size,
                                 chunked::Scratch& scratch) {
  std::byte* to = scratch.bytes(size);
  const std::size_t decoded = ZSTD_decompress(to, size, stored.data(), stored.size());
  if (ZSTD_isError(decoded) != 0)
    throw Error(fmt::format("its zstd data cannot be decoded: {}", ZSTD_getErrorName(decoded)));
  if (decoded != size) fail_size("zstd", size);
  return to;
}

}  // namespace

const std::byte* decode_chunk(Compressor compressor, std::span<const std::byte> stored, std::size_t size,
                              chunked::Scratch& scratch) {
  switch (compressor) {
    case Compressor::none:
      if (stored.size() != size)
        throw Error(fmt::format("it has {} bytes where {} are expected", stored.size(), size));
      return stored.data();
    case Compressor::blosc:
      return chunked::blosc_decode(stored, size, scratch);
    case Compressor::zlib:
    case Compressor::gzip:
      return inflate_chunk(stored, size, scratch);
    case Compressor::zstd:
      return decompress_zstd(stored, size, scratch);
  }
  throw Error("its compressor is unknown");
}

}  // namespace spim::zarr
