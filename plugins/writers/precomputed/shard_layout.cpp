#include "shard_layout.hpp"

#include <fmt/format.h>

#include <bit>

namespace spim::precomputed {

namespace {

constexpr std::uint64_t low_bits(std::uint64_t value, int bits) noexcept {
  return bits >= 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}

std::uint32_t finalize(std::uint32_t h) noexcept {
  h = (h ^ h >> 16) * 0x85ebca6bU;
  h = (h ^ h >> 13) * 0xc2b2ae35U;
  return h ^ h >> 16;
}

}  // namespace

std::uint64_t murmur3(std::uint64_t key) noexcept {
  constexpr std::uint32_t kLength = 8;
  // Eight bytes are no whole block of sixteen: only the tail's first two words take part.
  const std::uint32_t k1 = std::rotl(static_cast<std::uint32_t>(key) * 0x239b961bU, 15) * 0xab0e9789U;
  const std::uint32_t k2 = std::rotl(static_cast<std::uint32_t>(key >> 32) * 0xab0e9789U, 16) * 0x38b34ae5U;
  std::uint32_t h1 = k1 ^ kLength, h2 = k2 ^ kLength, h3 = kLength, h4 = kLength;
  h1 += h2 + h3 + h4;
  h2 += h1;
  h3 += h1;
  h4 += h1;
  h1 = finalize(h1);
  h2 = finalize(h2);
  h1 += h2 + finalize(h3) + finalize(h4);
  h2 += h1;
  return h1 | static_cast<std::uint64_t>(h2) << 32;
}

ShardPart locate(const chunked::PrecomputedSharding& sharding, std::uint64_t number) noexcept {
  std::uint64_t hash = number >> sharding.preshift_bits;
  if (sharding.hash == chunked::ShardHash::murmurhash3_x86_128) hash = murmur3(hash);
  return {low_bits(hash >> sharding.minishard_bits, sharding.shard_bits),
          low_bits(hash, sharding.minishard_bits)};
}

std::string shard_name(const chunked::PrecomputedSharding& sharding, std::uint64_t shard) {
  return fmt::format("{:0{}x}.shard", shard, (sharding.shard_bits + 3) / 4);
}

std::uint64_t table_bytes(const chunked::PrecomputedSharding& sharding) noexcept {
  return std::uint64_t{16} << sharding.minishard_bits;
}

}  // namespace spim::precomputed
