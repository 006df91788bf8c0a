#pragma once
/// Files that hold many encoded chunks each, with an index: what Zarr's shards and Neuroglancer's have in
/// common when they are written.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "common/block_pool.hpp"
#include "common/part_files.hpp"
#include "spim/volume_writer.hpp"

namespace spim::chunked {

/// Where an encoded chunk lies in its shard's file, counted from the file's first byte.
struct ChunkPlace {
  static constexpr std::uint64_t kAbsent = ~std::uint64_t{0};
  std::uint64_t offset = kAbsent;  ///< kAbsent: the chunk is not stored and reads as zero
  std::uint64_t size = kAbsent;

  bool absent() const noexcept { return offset == kAbsent; }
  friend bool operator==(const ChunkPlace&, const ChunkPlace&) = default;
};

/// Which shard of a level a chunk belongs to, and its place in the shard's order of chunks.
struct ShardSlot {
  std::int32_t level = 0;
  std::uint64_t shard = 0;
  std::size_t slot = 0;
};

/// What is known of a shard before anything is written.
struct ShardPlan {
  std::filesystem::path path;
  std::size_t slots = 0;         ///< places in its index
  std::int64_t chunks = 0;       ///< that the volume has there and that will be given
  std::uint64_t head_bytes = 0;  ///< in front of the first chunk
};

/// The two parts of an index: in front of the chunks (ShardPlan::head_bytes long) and behind them.
struct ShardIndex {
  std::vector<std::byte> head, tail;
};

/// What a format decides about its shards. [any thread]
class ShardFormat {
 public:
  virtual ~ShardFormat() = default;
  virtual ShardSlot slot(const ChunkAddress& chunk) const = 0;
  virtual ShardPlan plan(const ShardSlot& shard) const = 0;
  /// The index of a shard whose chunks lie at `places`, one per slot, and end at byte `end`.
  virtual ShardIndex index(const ShardSlot& shard, std::span<const ChunkPlace> places,
                           std::uint64_t end) const = 0;
};

/// Shards being written. Chunks come in any order from any thread, and any number of shards may be open.
///
/// A chunk is kept, compressed, until its shard is complete; the shard is then written in one go in the order
/// of its slots, so that its bytes do not depend on threads or on the order of arrival, under a name of its
/// own that is changed when it is whole. All open shards together keep at most `memory` bytes (in blocks of 2
/// MiB): what comes above that goes at once to a file beside the shard, from which it is copied in the end.
/// No file stays open between two calls, so that thousands of open shards need no descriptors. A shard
/// without any stored chunk has no file.
class ShardFiles {
 public:
  /// With `part`, which outlives this, what is unfinished stands in its folder, and it names the shards.
  ShardFiles(const ShardFormat& format, std::int64_t memory, PartFiles* part = nullptr);
  ~ShardFiles();

  /// Stores the encoded chunk; the call that brings the last one of a shard writes it. [any thread]
  void add(const ChunkAddress& chunk, std::span<const std::byte> encoded);
  /// The chunk is zero and not stored. [any thread]
  void skip(const ChunkAddress& chunk);
  /// Writes the shards that chunks are missing of, as if those were zero; of a part throws Error for one.
  /// [one thread, last]
  void finish();

  std::int64_t files() const noexcept { return files_; }
  std::int64_t bytes() const noexcept { return bytes_; }      ///< of all files, indices included
  std::int64_t spilled() const noexcept { return spilled_; }  ///< bytes that found no room in memory

 private:
  struct Shard;
  using Key = std::pair<std::int32_t, std::uint64_t>;

  std::shared_ptr<Shard> open(const ShardSlot& slot);
  /// False when there is no room in memory.
  bool keep(Shard& shard, std::size_t slot, std::span<const std::byte> encoded);
  void spill(Shard& shard, std::size_t slot, std::span<const std::byte> encoded);
  /// One chunk fewer to come; writes the shard when it was the last.
  void arrived(const std::shared_ptr<Shard>& shard);
  void complete(Shard& shard);
  void write(Shard& shard, const std::filesystem::path& partial);
  /// A name under which something of the shard at `path` is written.
  std::filesystem::path unfinished(const std::filesystem::path& path) const;

  const ShardFormat& format_;
  PartFiles* part_;
  BlockPool pool_;
  std::atomic<std::int64_t> files_{0}, bytes_{0}, spilled_{0};
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<Shard>> shards_;
};

/// Reports how many shards were written.
void describe_shards(MetadataSink& sink, const ShardFiles& shards);

}  // namespace spim::chunked
