#pragma once
/// The index of a minishard: three rows of u64, numbers of chunks, gaps in front of them and sizes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/shard_files.hpp"

namespace spim::precomputed {

/// A chunk in a shard's file; the place counts from the file's first byte.
struct StoredChunk {
  std::uint64_t number = 0;
  chunked::ChunkPlace place;
};

/// Offsets in an index count from the end of the file's table of minishards, which has `table_bytes` bytes.
/// `chunks` are in ascending order of their numbers.
std::vector<std::byte> encode_minishard(std::span<const StoredChunk> chunks, std::uint64_t table_bytes);

/// The bounds of the file in which chunks must lie.
struct ShardBounds {
  std::uint64_t table_bytes = 0;
  std::uint64_t file_bytes = 0;
};

/// Decodes an index, uncompressed; in ascending order of numbers. Whatever the bytes are, afterwards every
/// chunk lies inside the file and behind its table. Throws Error without a subject.
std::vector<StoredChunk> decode_minishard(std::span<const std::byte> bytes, const ShardBounds& bounds);

/// The place of chunk `number`; absent when the minishard does not have it.
chunked::ChunkPlace find_chunk(std::span<const StoredChunk> chunks, std::uint64_t number) noexcept;

/// The bytes `begin` to `end` of a file that a table entry (two u64 that count from the end of the table)
/// names; empty for a minishard without chunks. Throws Error without a subject.
struct MinishardPlace {
  std::uint64_t begin = 0, end = 0;
};
MinishardPlace decode_table_entry(std::span<const std::byte, 16> entry, const ShardBounds& bounds);

}  // namespace spim::precomputed
