#include "chunk_codec.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <memory>
#include <new>

#include "common/crc32c.hpp"
#include "common/deflate.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace {

constexpr std::size_t kChecksumBytes = 4;

const std::byte* decompress_zstd(std::span<const std::byte> stored, std::size_t size,
                                 chunked::Scratch& scratch) {
  std::byte* to = scratch.bytes(size);
  const std::size_t decoded = ZSTD_decompress(to, size, stored.data(), stored.size());
  if (ZSTD_isError(decoded) != 0)
    throw Error(fmt::format("its zstd data cannot be decoded: {}", ZSTD_getErrorName(decoded)));
  if (decoded != size) throw Error(fmt::format("its zstd data do not hold the expected {} bytes", size));
  return to;
}

const std::byte* decompress(Compressor compressor, std::span<const std::byte> stored, std::size_t size,
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
      return chunked::inflate_exactly(stored, size, scratch);
    case Compressor::zstd:
      return decompress_zstd(stored, size, scratch);
  }
  throw Error("its compressor is unknown");
}

struct FreeContext {
  void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
};

/// One frame that says its size, as some readers demand; level 0 is zstd's fastest that still compresses.
std::span<const std::byte> compress_zstd(int level, std::span<const std::byte> bytes,
                                         chunked::Scratch& scratch) {
  static thread_local std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  const std::size_t bound = ZSTD_compressBound(bytes.size());
  std::byte* to = scratch.bytes(bound);
  const std::size_t size =
      ZSTD_compressCCtx(context.get(), to, bound, bytes.data(), bytes.size(), level == 0 ? -1 : level);
  if (ZSTD_isError(size) != 0)
    throw Error(fmt::format("zstd could not compress {} bytes ({})", bytes.size(), ZSTD_getErrorName(size)));
  return {to, size};
}

}  // namespace

const std::byte* decode_chunk(const ChunkCodecs& codecs, std::span<const std::byte> stored, std::size_t size,
                              chunked::Scratch& scratch) {
  stored = chunked::strip_checksums(stored, codecs.outer_checksums, "it");
  const std::size_t compressed = size + kChecksumBytes * static_cast<std::size_t>(codecs.inner_checksums);
  const std::byte* bytes = decompress(codecs.compressor, stored, compressed, scratch);
  chunked::strip_checksums({bytes, compressed}, codecs.inner_checksums, "it");
  return bytes;
}

std::span<const std::byte> encode_chunk(const WriteCodec& codec, std::size_t item_size,
                                        std::span<const std::byte> samples, chunked::Scratch& scratch) {
  switch (codec.compressor) {
    case Compressor::none:
      return samples;
    case Compressor::blosc:
      return chunked::blosc_encode(codec.settings, item_size, samples, scratch);
    case Compressor::gzip:
      return chunked::gzip_encode(codec.settings.level, samples, scratch);
    case Compressor::zstd:
      return compress_zstd(codec.settings.level, samples, scratch);
    case Compressor::zlib:
      break;
  }
  throw Error("this compressor is only read");
}

std::string describe_codec(const WriteCodec& codec) {
  switch (codec.compressor) {
    case Compressor::blosc:
      return chunked::blosc_describe(codec.settings);
    case Compressor::gzip:
      return fmt::format("gzip {}", codec.settings.level);
    case Compressor::zstd:
      return fmt::format("zstd {}", codec.settings.level);
    default:
      return "none";
  }
}

}  // namespace spim::zarr
