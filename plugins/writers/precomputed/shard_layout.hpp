#pragma once
/// Which file of a sharded scale holds a chunk, and which part of it.

#include <cstdint>
#include <string>

#include "common/precomputed_info.hpp"

namespace spim::precomputed {

/// A file and one of the groups of chunks in it.
struct ShardPart {
  std::uint64_t shard = 0;
  std::uint64_t minishard = 0;

  friend bool operator==(const ShardPart&, const ShardPart&) = default;
};

/// Where the chunk with this number is. [any thread]
ShardPart locate(const chunked::PrecomputedSharding& sharding, std::uint64_t number) noexcept;

/// "0a.shard": as many digits as the numbers of shards may need.
std::string shard_name(const chunked::PrecomputedSharding& sharding, std::uint64_t shard);

/// Bytes of the table of minishards at the start of every file.
std::uint64_t table_bytes(const chunked::PrecomputedSharding& sharding) noexcept;

/// The first 64 bits of MurmurHash3_x86_128 (public domain, A. Appleby) with seed 0 of the eight bytes of
/// `key`, little endian.
std::uint64_t murmur3(std::uint64_t key) noexcept;

}  // namespace spim::precomputed
