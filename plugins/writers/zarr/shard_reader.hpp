#pragma once
/// Reads the chunks of one shard.

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "common/file.hpp"
#include "common/scratch.hpp"
#include "shard_index.hpp"

namespace spim::zarr {

/// An open shard and its index. [one thread]
class ShardReader {
 public:
  /// Nothing when there is no such file: all its chunks are absent. Throws Error naming the file.
  static std::optional<ShardReader> open_if_exists(const std::filesystem::path& path,
                                                   const IndexLayout& layout);

  /// The encoded chunk of `slot`, of at most `most` bytes, in `scratch`; empty when it is not stored.
  std::span<const std::byte> load(std::size_t slot, std::uint64_t most, chunked::Scratch& scratch) const;

  std::span<const chunked::ChunkPlace> places() const noexcept { return places_; }

 private:
  ShardReader(chunked::File file, std::vector<chunked::ChunkPlace> places)
      : file_(std::move(file)), places_(std::move(places)) {}

  chunked::File file_;
  std::vector<chunked::ChunkPlace> places_;
};

}  // namespace spim::zarr
