#include "block_encoder.hpp"

#include <fmt/format.h>
#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "common/scratch.hpp"
#include "spim/clones.hpp"
#include "spim/error.hpp"

namespace spim::tiff {

namespace {

constexpr std::uint16_t kCompressionNone = 1, kCompressionDeflate = 8, kCompressionZstd = 50000;
constexpr int kMostDeflate = 12, kMostZstd = 22;
/// What libdeflate makes of camera frames at level 1 is smaller than at 2 to 4, and smaller than what zlib
/// makes at 3, at a third of its cost (docs/performance.md).
constexpr int kSmallAndFast = 3;

/// to[i] = from[i] − from[i−1], modulo 2^16.
SPIM_CLONES void difference(const std::uint16_t* from, std::int64_t count, std::uint16_t* to) {
  to[0] = from[0];
  for (std::int64_t i = 1; i < count; ++i) to[i] = static_cast<std::uint16_t>(from[i] - from[i - 1]);
}

/// Narrows; returns the largest value.
SPIM_CLONES std::uint16_t narrow(const std::uint16_t* from, std::int64_t count, std::uint8_t* to) {
  std::uint16_t most = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    most = std::max(most, from[i]);
    to[i] = static_cast<std::uint8_t>(from[i]);
  }
  return most;
}

void put_row(const std::uint16_t* from, std::int64_t count, std::int64_t padded, Predictor predictor,
             std::uint16_t* to) {
  if (predictor == Predictor::none) {
    std::copy_n(from, count, to);
    std::fill_n(to + count, padded - count, std::uint16_t{0});
    return;
  }
  difference(from, count, to);
  if (padded == count) return;
  to[count] = static_cast<std::uint16_t>(-from[count - 1]);
  std::fill_n(to + count + 1, padded - count - 1, std::uint16_t{0});
}

void put_row(const std::uint16_t* from, std::int64_t count, std::int64_t padded, Predictor predictor,
             std::uint8_t* to) {
  if (const std::uint16_t most = narrow(from, count, to); most > 255)
    throw Error(fmt::format("a voxel of {} does not fit into uint8; write uint16", most));
  std::fill_n(to + count, padded - count, std::uint8_t{0});
  if (predictor == Predictor::none) return;
  for (std::int64_t i = padded - 1; i > 0; --i) to[i] = static_cast<std::uint8_t>(to[i] - to[i - 1]);
}

template <class Sample>
std::span<const std::byte> gather(const Encoding& encoding, ImageView<const std::uint16_t> voxels,
                                  BlockShape block) {
  static thread_local chunked::Scratch scratch;
  const auto bytes = static_cast<std::size_t>(block.rows * block.columns) * sizeof(Sample);
  std::byte* const memory = scratch.bytes(bytes);
  auto* const samples = reinterpret_cast<Sample*>(memory);
  for (std::int64_t i = 0; i < voxels.rows; ++i)
    put_row(voxels.row(i), voxels.columns, block.columns, encoding.predictor, samples + i * block.columns);
  std::fill(samples + voxels.rows * block.columns, samples + block.rows * block.columns, Sample{0});
  return {memory, bytes};
}

struct FreeCompressor {
  void operator()(libdeflate_compressor* c) const noexcept { libdeflate_free_compressor(c); }
};

/// One per thread: it is large to set up.
libdeflate_compressor* deflate_compressor(int level) {
  static thread_local std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor;
  static thread_local int made_for = -1;
  if (made_for != level) {
    compressor.reset(libdeflate_alloc_compressor(level));
    if (!compressor) throw std::bad_alloc();
    made_for = level;
  }
  return compressor.get();
}

std::size_t deflate(int level, std::span<const std::byte> raw, chunked::Scratch& to) {
  libdeflate_compressor* const compressor = deflate_compressor(level);
  const std::size_t bound = libdeflate_zlib_compress_bound(compressor, raw.size());
  return libdeflate_zlib_compress(compressor, raw.data(), raw.size(), to.bytes(bound), bound);
}

struct FreeContext {
  void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
};

std::size_t zstd(int level, std::span<const std::byte> raw, chunked::Scratch& to) {
  static thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  const std::size_t bound = ZSTD_compressBound(raw.size());
  const std::size_t size =
      ZSTD_compressCCtx(context.get(), to.bytes(bound), bound, raw.data(), raw.size(), level);
  return ZSTD_isError(size) != 0 ? 0 : size;
}

}  // namespace

std::uint16_t Encoding::compression_tag() const noexcept {
  switch (codec) {
    case Codec::none:
      return kCompressionNone;
    case Codec::deflate:
      return kCompressionDeflate;
    case Codec::zstd:
      return kCompressionZstd;
  }
  return kCompressionNone;
}

Encoding encoding_of(const Options& options) {
  const std::string_view name = options.text("compression");
  Encoding encoding;
  encoding.codec = name == "none" ? Codec::none : name == "zstd" ? Codec::zstd : Codec::deflate;
  encoding.level = static_cast<int>(options.integer("level"));
  if (encoding.codec == Codec::deflate && encoding.level <= kSmallAndFast) encoding.level = 1;
  const int most = encoding.codec == Codec::zstd ? kMostZstd : kMostDeflate;
  if (encoding.codec != Codec::none && encoding.level > most)
    throw UsageError(fmt::format("level is {}; {} has levels 1 to {}", encoding.level, name, most));
  if (encoding.codec != Codec::none && options.boolean("predictor"))
    encoding.predictor = Predictor::horizontal;
  return encoding;
}

std::span<const std::byte> encode_block(const Encoding& encoding, ImageView<const std::uint16_t> voxels,
                                        BlockShape block, PixelType type) {
  static thread_local chunked::Scratch encoded;
  const bool as_they_are = type == PixelType::u16 && encoding.predictor == Predictor::none &&
                           voxels.rows == block.rows && voxels.columns == block.columns &&
                           voxels.row_stride == voxels.columns;
  const auto raw =
      as_they_are
          ? std::as_bytes(std::span(voxels.data, static_cast<std::size_t>(block.rows * block.columns)))
      : type == PixelType::u8 ? gather<std::uint8_t>(encoding, voxels, block)
                              : gather<std::uint16_t>(encoding, voxels, block);
  if (encoding.codec == Codec::none) return raw;
  const std::size_t size = encoding.codec == Codec::deflate ? deflate(encoding.level, raw, encoded)
                                                            : zstd(encoding.level, raw, encoded);
  if (size == 0) throw Error("a strip or tile cannot be compressed; choose another compression");
  return {encoded.bytes(0), size};
}

}  // namespace spim::tiff
