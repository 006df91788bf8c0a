// The switch between zstd's two match finders is a wish outside its stable interface; see set_search().
#define ZSTD_STATIC_LINKING_ONLY
#include "common/blosc_zstd.hpp"

#include <blosc.h>
#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "spim/clones.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

namespace {

/// Samples of a block: 64 KiB of low bytes have room for one code table per 64 KiB and follow the brightness.
constexpr std::size_t kBlockSamples = std::size_t{1} << 16;

/// How zstd looks for matches in one byte plane.
struct Search {
  int zstd_level;                                                 ///< what the other parameters start from
  int strategy = 0, search_log = 0, min_match = 0, hash_log = 0;  ///< 0: as the level says
};

/// A small table of hashes finds few matches: in noise each of them costs more than it saves.
constexpr Search kNoise{1, ZSTD_fast, 0, 7, 11};

struct PlaneSearch {
  Search low, high;
};

/// By level 1 … 9, from fast to small.
constexpr PlaneSearch kLevels[] = {{kNoise, {3, ZSTD_dfast, 0, 7, 0}},
                                   {kNoise, {5, ZSTD_greedy, 3, 7, 12}},
                                   {kNoise, {5, ZSTD_lazy, 2, 7, 13}},
                                   {kNoise, {5, ZSTD_lazy, 4, 7, 13}},
                                   {kNoise, {5, ZSTD_lazy, 6, 7, 14}},
                                   {kNoise, {7, ZSTD_lazy2, 7, 7, 15}},
                                   {kNoise, {11, ZSTD_btlazy2, 6, 6, 0}},
                                   {kNoise, {17}},
                                   {{19}, {19}}};

class Compressor {
 public:
  Compressor() : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
  }

  void set_search(const Search& search) {
    ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_and_parameters);
    set(ZSTD_c_compressionLevel, search.zstd_level);
    set(ZSTD_c_contentSizeFlag, 1);
    if (search.strategy == 0) return;
    set(ZSTD_c_strategy, search.strategy);
    set(ZSTD_c_minMatch, search.min_match);
    if (search.search_log != 0) set(ZSTD_c_searchLog, search.search_log);
    if (search.hash_log != 0) {
      set(ZSTD_c_hashLog, search.hash_log);
      set(ZSTD_c_chainLog, search.hash_log);
    }
    // Chains find the runs of the high bytes in two thirds of the time of rows. Where a zstd does not know
    // the wish, the frame is as valid and a little slower to make.
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_useRowMatchFinder, ZSTD_ps_disable);
  }

  /// 0 when the result would not be smaller than `from`.
  std::size_t compress(std::span<const std::uint8_t> from, std::uint8_t* to) {
    const std::size_t size = ZSTD_compress2(context_.get(), to, from.size() - 1, from.data(), from.size());
    if (!ZSTD_isError(size)) return size;
    if (ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall) return 0;
    throw Error(fmt::format("zstd could not compress {} bytes ({})", from.size(), ZSTD_getErrorName(size)));
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    const std::size_t code = ZSTD_CCtx_setParameter(context_.get(), parameter, value);
    if (ZSTD_isError(code))
      throw Error(fmt::format("zstd refuses parameter {} = {} ({})", static_cast<int>(parameter), value,
                              ZSTD_getErrorName(code)));
  }

  struct Free {
    void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

SPIM_CLONES void split_planes(const std::uint16_t* __restrict samples, std::size_t count,
                              std::uint8_t* __restrict low, std::uint8_t* __restrict high) {
  for (std::size_t i = 0; i < count; ++i) {
    low[i] = static_cast<std::uint8_t>(samples[i]);
    high[i] = static_cast<std::uint8_t>(samples[i] >> 8);
  }
}

void put32(std::uint8_t* to, std::size_t value) {
  const auto v = static_cast<std::uint32_t>(value);
  for (int i = 0; i < 4; ++i) to[i] = static_cast<std::uint8_t>(v >> (8 * i));
}

/// Writes one frame piece by piece.
class FrameBuilder {
 public:
  explicit FrameBuilder(std::uint8_t* to) : begin_(to), end_(to) {}
  std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
  void skip(std::size_t bytes) { end_ += bytes; }

  /// Length, then the compressed stream, or the stream itself where that is shorter.
  void stream(std::span<const std::uint8_t> bytes, Compressor& compressor) {
    std::size_t size = compressor.compress(bytes, end_ + 4);
    if (size == 0) {
      size = bytes.size();
      std::memcpy(end_ + 4, bytes.data(), size);
    }
    put32(end_, size);
    end_ += 4 + size;
  }

 private:
  std::uint8_t* begin_;
  std::uint8_t* end_;
};

/// Without the flag 0x10 the planes of whole blocks are split.
constexpr int kSplitPlanes = BLOSC_DOSHUFFLE | (BLOSC_ZSTD_FORMAT << 5);

struct FrameSizes {
  std::size_t bytes, block, frame;
};

void put_header(std::uint8_t* frame, int flags, const FrameSizes& sizes) {
  frame[0] = BLOSC_VERSION_FORMAT;
  frame[1] = BLOSC_ZSTD_VERSION_FORMAT;
  frame[2] = static_cast<std::uint8_t>(flags);
  frame[3] = 2;  // bytes of a sample
  put32(frame + 4, sizes.bytes);
  put32(frame + 8, sizes.block);
  put32(frame + 12, sizes.frame);
}

}  // namespace

std::span<const std::byte> zstd_planes_encode(int level, std::span<const std::byte> bytes, Scratch& scratch) {
  static thread_local Compressor low_compressor, high_compressor;
  static thread_local Scratch plane_scratch;
  const PlaneSearch& search = kLevels[level - 1];
  low_compressor.set_search(search.low);
  high_compressor.set_search(search.high);

  // Blocks of equal size: one that is cut short is not split, so only a few samples may be left for it.
  const std::size_t samples = bytes.size() / 2;
  const std::size_t whole = std::max<std::size_t>((samples + kBlockSamples / 2) / kBlockSamples, 1);
  const std::size_t block = samples / whole;
  const std::size_t blocks = (samples + block - 1) / block;

  const std::size_t capacity = BLOSC_MIN_HEADER_LENGTH + bytes.size() + 4 * blocks * 3;
  auto* const frame = reinterpret_cast<std::uint8_t*>(scratch.bytes(capacity));
  auto* const planes = reinterpret_cast<std::uint8_t*>(plane_scratch.bytes(block * 2));
  FrameBuilder builder(frame);
  builder.skip(BLOSC_MIN_HEADER_LENGTH + 4 * blocks);
  for (std::size_t b = 0; b < blocks; ++b) {
    put32(frame + BLOSC_MIN_HEADER_LENGTH + 4 * b, builder.size());
    const std::size_t first = b * block;
    const std::size_t count = std::min(block, samples - first);
    split_planes(reinterpret_cast<const std::uint16_t*>(bytes.data()) + first, count, planes, planes + count);
    if (count == block) {
      builder.stream({planes, count}, low_compressor);
      builder.stream({planes + count, count}, high_compressor);
    } else {
      builder.stream({planes, 2 * count}, high_compressor);
    }
  }
  const std::size_t stored = BLOSC_MIN_HEADER_LENGTH + bytes.size();
  if (builder.size() < stored) {
    put_header(frame, kSplitPlanes, {bytes.size(), block * 2, builder.size()});
    return {reinterpret_cast<const std::byte*>(frame), builder.size()};
  }
  std::memcpy(frame + BLOSC_MIN_HEADER_LENGTH, bytes.data(), bytes.size());
  put_header(frame, kSplitPlanes | BLOSC_MEMCPYED, {bytes.size(), block * 2, stored});
  return {reinterpret_cast<const std::byte*>(frame), stored};
}

}  // namespace spim::chunked
