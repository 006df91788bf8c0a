#include "common/blosc_codec.hpp"

#include <blosc.h>
#include <fmt/format.h>

#include <cctype>

#include "common/blosc_zstd.hpp"
#include "common/chunk_grid.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

static_assert(kLargestChunkBytes == BLOSC_MAX_BUFFERSIZE);

namespace {

// Blosc's own threads are never used: the host runs one chunk per worker.
constexpr int kInternalThreads = 1;

/// Blosc's own choice of 32 KiB is too small for zstd.
constexpr std::size_t kZstdBlock = std::size_t{1} << 19;

constexpr const char* kShuffleWords[] = {"none", "byte", "bit"};

}  // namespace

BloscSettings blosc_settings(const Options& options) {
  BloscSettings settings;
  settings.codec = options.text("codec");
  settings.level = static_cast<int>(options.integer("level"));
  for (int i = 0; i < 3; ++i)
    if (options.text("shuffle") == kShuffleWords[i]) settings.shuffle = i;
  if (blosc_compname_to_compcode(settings.codec.c_str()) < 0)
    throw UsageError(
        fmt::format("codec {} is not in this machine's Blosc library, which has {}; choose one of those",
                    settings.codec, blosc_list_compressors()));
  return settings;
}

std::span<const std::byte> blosc_encode(const BloscSettings& settings, std::size_t item_size,
                                        std::span<const std::byte> bytes, Scratch& scratch) {
  if (settings.codec == "zstd" && settings.shuffle == BLOSC_SHUFFLE && settings.level > 0 && item_size == 2 &&
      bytes.size() >= kLeastPlanesBytes)
    return zstd_planes_encode(settings.level, bytes, scratch);
  const std::size_t block = settings.codec == "zstd" ? kZstdBlock : 0;
  const std::size_t capacity = bytes.size() + BLOSC_MAX_OVERHEAD;
  std::byte* to = scratch.bytes(capacity);
  const int size = blosc_compress_ctx(settings.level, settings.shuffle, item_size, bytes.size(), bytes.data(),
                                      to, capacity, settings.codec.c_str(), block, kInternalThreads);
  if (size <= 0)
    throw Error(fmt::format("blosc could not compress {} bytes with {} (code {})", bytes.size(),
                            settings.codec, size));
  return {to, static_cast<std::size_t>(size)};
}

const std::byte* blosc_decode(std::span<const std::byte> frame, std::size_t size, Scratch& scratch) {
  std::size_t held = 0;
  if (frame.size() < BLOSC_MIN_HEADER_LENGTH ||
      blosc_cbuffer_validate(frame.data(), frame.size(), &held) != 0)
    throw Error(fmt::format("its {} bytes are not one Blosc frame", frame.size()));
  if (held != size)
    throw Error(fmt::format("its Blosc frame holds {} bytes where {} are expected", held, size));
  std::byte* to = scratch.bytes(size);
  const int decoded = blosc_decompress_ctx(frame.data(), to, size, kInternalThreads);
  if (decoded < 0 || static_cast<std::size_t>(decoded) != size) throw Error("its Blosc frame is damaged");
  return to;
}

std::string blosc_describe(const BloscSettings& settings) {
  return fmt::format("blosc {} {}, {} shuffle", settings.codec, settings.level,
                     kShuffleWords[settings.shuffle]);
}

std::string blosc_describe(std::span<const std::byte, 16> header) {
  const char* library = blosc_cbuffer_complib(header.data());
  std::string codec = library != nullptr ? library : "unknown";
  for (char& c : codec) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::size_t item_size = 0;
  int flags = 0;
  blosc_cbuffer_metainfo(header.data(), &item_size, &flags);
  const int shuffle = (flags & BLOSC_DOBITSHUFFLE) != 0 ? 2 : (flags & BLOSC_DOSHUFFLE) != 0 ? 1 : 0;
  return fmt::format("blosc {}, {} shuffle", codec, kShuffleWords[shuffle]);
}

}  // namespace spim::chunked
