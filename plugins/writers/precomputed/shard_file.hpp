#pragma once
/// Reads the chunks of one shard file.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "common/file.hpp"
#include "common/precomputed_info.hpp"
#include "common/scratch.hpp"
#include "minishard_index.hpp"

namespace spim::precomputed {

/// An open shard, and the indices of its minishards that were asked for. [one thread]
class ShardFile {
 public:
  /// Nothing when there is no such file: all its chunks are absent. Throws Error naming the file.
  static std::optional<ShardFile> open_if_exists(const std::filesystem::path& path,
                                                 const chunked::PrecomputedSharding& sharding);

  /// The stored bytes of a chunk, at most `most`, in `scratch`; empty when it is absent.
  std::span<const std::byte> load(std::uint64_t minishard, std::uint64_t number, std::uint64_t most,
                                  chunked::Scratch& scratch);

  /// The chunks of a minishard in ascending order of numbers.
  const std::vector<StoredChunk>& minishard(std::uint64_t minishard);

  /// Minishards that the file's table has room for.
  std::uint64_t minishards() const noexcept { return bounds_.table_bytes / 16; }

 private:
  ShardFile(chunked::File file, const chunked::PrecomputedSharding& sharding);
  std::vector<StoredChunk> read_minishard(std::uint64_t minishard) const;

  chunked::File file_;
  chunked::PrecomputedSharding sharding_;
  ShardBounds bounds_;
  std::map<std::uint64_t, std::vector<StoredChunk>> minishards_;
};

}  // namespace spim::precomputed
