#include "common/shard_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <system_error>

#include "common/file.hpp"
#include "common/scratch.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

namespace fs = std::filesystem;

namespace {

/// An encoded chunk until its shard is written.
struct Kept {
  enum class Where { nowhere, memory, file };
  Where where = Where::nowhere;
  std::uint64_t offset = 0;  ///< in the shard's memory or in its spill file
  std::size_t size = 0;
};

/// A growing row of bytes in blocks of a pool.
class BlockBytes {
 public:
  explicit BlockBytes(BlockPool& pool) : pool_(pool) {}
  BlockBytes(const BlockBytes&) = delete;
  BlockBytes& operator=(const BlockBytes&) = delete;
  ~BlockBytes() { clear(); }

  void clear() {
    for (std::byte* block : blocks_) pool_.give_back(block);
    blocks_.clear();
    end_ = 0;
  }

  /// Where the bytes begin; nothing when the pool has no room for them.
  std::optional<std::uint64_t> append(std::span<const std::byte> bytes) {
    const std::uint64_t begin = end_;
    while (blocks_.size() * BlockPool::kBlockBytes < end_ + bytes.size()) {
      std::byte* const block = pool_.take();
      if (block == nullptr) return std::nullopt;  // blocks that were taken serve smaller chunks
      blocks_.push_back(block);
    }
    for_each_piece(begin, bytes.size(), [&](std::span<std::byte> piece, std::size_t done) {
      std::memcpy(piece.data(), bytes.data() + done, piece.size());
    });
    end_ += bytes.size();
    return begin;
  }

  /// Calls visit(piece, bytes before it) for the stretches of `size` bytes from `begin` on.
  template <class Visit>
  void for_each_piece(std::uint64_t begin, std::size_t size, Visit&& visit) const {
    for (std::size_t done = 0; done < size;) {
      const std::uint64_t at = begin + done;
      const std::size_t inside = at % BlockPool::kBlockBytes;
      const std::size_t n = std::min(size - done, BlockPool::kBlockBytes - inside);
      visit(std::span(blocks_[at / BlockPool::kBlockBytes] + inside, n), done);
      done += n;
    }
  }

 private:
  BlockPool& pool_;
  std::vector<std::byte*> blocks_;
  std::uint64_t end_ = 0;
};

}  // namespace

struct ShardFiles::Shard {
  Shard(const ShardSlot& slot, ShardPlan planned, BlockPool& pool)
      : address(slot), plan(std::move(planned)), missing(plan.chunks), memory(pool) {}
  ~Shard() {
    std::error_code ignored;
    if (!spill.empty()) fs::remove(spill, ignored);
  }

  /// Where to note the chunk of `slot`.
  Kept& take(std::size_t slot) {
    if (chunks.empty()) chunks.resize(plan.slots);
    Kept& kept = chunks.at(slot);
    if (kept.where != Kept::Where::nowhere) throw Error("a chunk was given twice");
    return kept;
  }

  const ShardSlot address;
  const ShardPlan plan;
  std::mutex mutex;
  std::vector<Kept> chunks;  ///< by slot; empty as long as all are zero
  std::int64_t missing;      ///< chunks that are still to come
  BlockBytes memory;
  fs::path spill;  ///< empty as long as everything is in memory
  std::uint64_t spill_end = 0;
};

ShardFiles::ShardFiles(const ShardFormat& format, std::int64_t memory, PartFiles* part)
    : format_(format), part_(part), pool_(memory) {}

ShardFiles::~ShardFiles() = default;

fs::path ShardFiles::unfinished(const fs::path& path) const {
  if (part_ != nullptr) return part_->unfinished();
  create_folders(path.parent_path());
  return partial_name(path);
}

std::shared_ptr<ShardFiles::Shard> ShardFiles::open(const ShardSlot& slot) {
  const std::lock_guard lock(mutex_);
  auto& shard = shards_[{slot.level, slot.shard}];
  if (!shard) shard = std::make_shared<Shard>(slot, format_.plan(slot), pool_);
  return shard;
}

void ShardFiles::add(const ChunkAddress& chunk, std::span<const std::byte> encoded) {
  const ShardSlot slot = format_.slot(chunk);
  const auto shard = open(slot);
  if (!keep(*shard, slot.slot, encoded)) spill(*shard, slot.slot, encoded);
  arrived(shard);
}

bool ShardFiles::keep(Shard& shard, std::size_t slot, std::span<const std::byte> encoded) {
  const std::lock_guard lock(shard.mutex);
  Kept& kept = shard.take(slot);
  const auto begin = shard.memory.append(encoded);
  if (begin) kept = {Kept::Where::memory, *begin, encoded.size()};
  return begin.has_value();
}

void ShardFiles::skip(const ChunkAddress& chunk) {
  arrived(open(format_.slot(chunk)));
}

void ShardFiles::spill(Shard& shard, std::size_t slot, std::span<const std::byte> encoded) {
  std::uint64_t offset = 0;
  std::optional<File> file;
  {
    const std::lock_guard lock(shard.mutex);
    Kept& kept = shard.take(slot);
    if (shard.spill.empty()) {
      const fs::path name = unfinished(shard.plan.path);
      file = File::create(name);
      shard.spill = name;
    }
    offset = shard.spill_end;
    shard.spill_end += encoded.size();
    kept = {Kept::Where::file, offset, encoded.size()};
  }
  if (!file) file = File::reopen(shard.spill);
  file->write(offset, encoded);
  file->close();
  spilled_ += static_cast<std::int64_t>(encoded.size());
}

void ShardFiles::arrived(const std::shared_ptr<Shard>& shard) {
  {
    const std::lock_guard lock(shard->mutex);
    if (--shard->missing != 0) return;
  }
  complete(*shard);
  shard->memory.clear();
  const std::lock_guard lock(mutex_);
  shards_.erase({shard->address.level, shard->address.shard});
  // A part that is done waits for the disk, and others want the memory.
  if (shards_.empty()) pool_.trim();
}

void ShardFiles::finish() {
  for (const auto& [key, shard] : shards_) {
    if (part_ != nullptr)
      throw Error(fmt::format("shard {} lacks {} of its chunks", shard->plan.path.string(), shard->missing));
    complete(*shard);
  }
  shards_.clear();
}

void ShardFiles::complete(Shard& shard) {
  if (shard.chunks.empty()) return;
  const fs::path partial = unfinished(shard.plan.path);
  try {
    write(shard, partial);
  } catch (...) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw;
  }
  if (part_ != nullptr)
    part_->put(partial, shard.plan.path.lexically_relative(part_->root()).generic_string());
  else
    publish_file(partial, shard.plan.path);
  files_ += 1;
}

void ShardFiles::write(Shard& shard, const fs::path& partial) {
  File file = File::create(partial);
  std::optional<File> spilled;
  if (!shard.spill.empty()) spilled = File::open(shard.spill);
  std::vector<ChunkPlace> places(shard.chunks.size());
  std::uint64_t end = shard.plan.head_bytes;
  for (std::size_t slot = 0; slot < places.size(); ++slot) {
    const Kept& kept = shard.chunks[slot];
    if (kept.where == Kept::Where::nowhere) continue;
    if (kept.where == Kept::Where::memory) {
      shard.memory.for_each_piece(
          kept.offset, kept.size,
          [&](std::span<const std::byte> piece, std::size_t done) { file.write(end + done, piece); });
    } else {
      static thread_local Scratch scratch;
      const std::span bytes(scratch.bytes(kept.size), kept.size);
      spilled->read(kept.offset, bytes);
      file.write(end, bytes);
    }
    places[slot] = {end, kept.size};
    end += kept.size;
  }
  const ShardIndex index = format_.index(shard.address, places, end);
  if (!index.head.empty()) file.write(0, index.head);
  if (!index.tail.empty()) file.write(end, index.tail);
  file.begin_sync();
  file.close();
  bytes_ += static_cast<std::int64_t>(end + index.tail.size());
}

void describe_shards(MetadataSink& sink, const ShardFiles& shards) {
  sink.integer("shards", shards.files());
  sink.integer("shard bytes", shards.bytes());
  if (shards.spilled() > 0) sink.integer("bytes through files beside the shards", shards.spilled());
}

}  // namespace spim::chunked
