#include "common/shard_files.hpp"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <system_error>

#include "common/file.hpp"
#include "common/scratch.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

namespace fs = std::filesystem;

namespace {

/// An encoded chunk until its shard is written: in memory or, with an offset, in the shard's spill file.
struct Kept {
  std::unique_ptr<std::byte[]> memory;
  ChunkPlace spilled;
  std::size_t size = 0;
};

}  // namespace

struct ShardFiles::Shard {
  Shard(const ShardSlot& slot, ShardPlan planned)
      : address(slot), plan(std::move(planned)), missing(plan.chunks) {}
  ~Shard() {
    std::error_code ignored;
    if (!spill.empty()) fs::remove(spill, ignored);
  }

  /// Where to keep the chunk of `slot`.
  Kept& take(std::size_t slot) {
    if (chunks.empty()) chunks.resize(plan.slots);
    Kept& kept = chunks.at(slot);
    if (kept.size != 0) throw Error("a chunk was given twice");
    return kept;
  }

  const ShardSlot address;
  const ShardPlan plan;
  std::mutex mutex;
  std::vector<Kept> chunks;  ///< by slot; empty as long as all are zero
  std::int64_t missing;      ///< chunks that are still to come
  fs::path spill;            ///< empty as long as everything is in memory
  std::uint64_t spill_end = 0;
};

ShardFiles::ShardFiles(const ShardFormat& format, std::int64_t memory) : format_(format), memory_(memory) {}

ShardFiles::~ShardFiles() = default;

std::shared_ptr<ShardFiles::Shard> ShardFiles::open(const ShardSlot& slot) {
  const std::lock_guard lock(mutex_);
  auto& shard = shards_[{slot.level, slot.shard}];
  if (!shard) shard = std::make_shared<Shard>(slot, format_.plan(slot));
  return shard;
}

bool ShardFiles::take_room(std::int64_t bytes) {
  if (kept_.fetch_add(bytes) + bytes <= memory_) return true;
  kept_ -= bytes;
  return false;
}

void ShardFiles::add(const ChunkAddress& chunk, std::span<const std::byte> encoded) {
  const ShardSlot slot = format_.slot(chunk);
  const auto shard = open(slot);
  if (take_room(static_cast<std::int64_t>(encoded.size()))) {
    std::unique_ptr<std::byte[]> copy(new std::byte[encoded.size()]);
    std::memcpy(copy.get(), encoded.data(), encoded.size());
    const std::lock_guard lock(shard->mutex);
    shard->take(slot.slot) = {std::move(copy), {}, encoded.size()};
  } else {
    spill(*shard, slot.slot, encoded);
  }
  arrived(shard);
}

void ShardFiles::skip(const ChunkAddress& chunk) {
  arrived(open(format_.slot(chunk)));
}

void ShardFiles::spill(Shard& shard, std::size_t slot, std::span<const std::byte> encoded) {
  ChunkPlace place{0, encoded.size()};
  std::optional<File> file;
  {
    const std::lock_guard lock(shard.mutex);
    Kept& kept = shard.take(slot);
    if (shard.spill.empty()) {
      create_folders(shard.plan.path.parent_path());
      const fs::path name = partial_name(shard.plan.path);
      file = File::create(name);
      shard.spill = name;
    }
    place.offset = shard.spill_end;
    shard.spill_end += place.size;
    kept = {nullptr, place, encoded.size()};
  }
  if (!file) file = File::reopen(shard.spill);
  file->write(place.offset, encoded);
  file->close();
  spilled_ += static_cast<std::int64_t>(place.size);
}

void ShardFiles::arrived(const std::shared_ptr<Shard>& shard) {
  {
    const std::lock_guard lock(shard->mutex);
    if (--shard->missing != 0) return;
  }
  complete(*shard);
  const std::lock_guard lock(mutex_);
  shards_.erase({shard->address.level, shard->address.shard});
}

void ShardFiles::finish() {
  for (const auto& [key, shard] : shards_) complete(*shard);
  shards_.clear();
}

void ShardFiles::complete(Shard& shard) {
  if (shard.chunks.empty()) return;
  create_folders(shard.plan.path.parent_path());
  const fs::path partial = partial_name(shard.plan.path);
  try {
    write(shard, partial);
  } catch (...) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw;
  }
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
    Kept& kept = shard.chunks[slot];
    if (kept.size == 0) continue;
    if (kept.memory) {
      file.write(end, {kept.memory.get(), kept.size});
      kept.memory.reset();
      kept_ -= static_cast<std::int64_t>(kept.size);
    } else {
      static thread_local Scratch scratch;
      const std::span bytes(scratch.bytes(kept.size), kept.size);
      spilled->read(kept.spilled.offset, bytes);
      file.write(end, bytes);
    }
    places[slot] = {end, kept.size};
    end += kept.size;
  }
  const ShardIndex index = format_.index(shard.address, places, end);
  if (!index.head.empty()) file.write(0, index.head);
  if (!index.tail.empty()) file.write(end, index.tail);
  file.close();
  bytes_ += static_cast<std::int64_t>(end + index.tail.size());
}

void describe_shards(MetadataSink& sink, const ShardFiles& shards) {
  sink.integer("shards", shards.files());
  sink.integer("shard bytes", shards.bytes());
  if (shards.spilled() > 0) sink.integer("bytes through files beside the shards", shards.spilled());
}

}  // namespace spim::chunked
