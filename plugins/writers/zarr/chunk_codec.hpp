#pragma once
/// Between the bytes of a chunk's samples and what is stored of it.

#include <cstddef>
#include <span>
#include <string>

#include "common/blosc_codec.hpp"
#include "common/scratch.hpp"

namespace spim::zarr {

enum class Compressor { none, blosc, zlib, gzip, zstd };

/// The codecs behind the samples, in the order of writing: checksums, a compressor, checksums.
struct ChunkCodecs {
  int inner_checksums = 0;  ///< CRC-32C of what the compressor is given
  Compressor compressor = Compressor::none;
  int outer_checksums = 0;  ///< CRC-32C of what it makes
};

/// The `size` bytes that `stored` decodes to; in `scratch`, or in `stored` itself when nothing is compressed.
/// Throws Error (without a subject) when it is damaged or holds any other number of bytes. [any thread]
const std::byte* decode_chunk(const ChunkCodecs& codecs, std::span<const std::byte> stored, std::size_t size,
                              chunked::Scratch& scratch);

/// How chunks are compressed when they are written.
struct WriteCodec {
  Compressor compressor = Compressor::blosc;  ///< blosc, zstd, gzip or none
  chunked::BloscSettings settings;            ///< the level concerns all of them, the rest Blosc
};

/// The encoded chunk: in `scratch`, or `samples` itself when nothing is compressed. [any thread]
std::span<const std::byte> encode_chunk(const WriteCodec& codec, std::size_t item_size,
                                        std::span<const std::byte> samples, chunked::Scratch& scratch);

/// "blosc zstd 3, byte shuffle" or "gzip 3".
std::string describe_codec(const WriteCodec& codec);

}  // namespace spim::zarr
