#include "shard_reader.hpp"

#include <fmt/format.h>

#include "common/subject.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

std::optional<ShardReader> ShardReader::open_if_exists(const std::filesystem::path& path,
                                                       const IndexLayout& layout) {
  auto file = chunked::File::open_if_exists(path);
  if (!file) return std::nullopt;
  const std::uint64_t size = file->size();
  if (size < layout.bytes())
    throw Error(
        fmt::format("shard {} has {} bytes; its index alone needs {}", path.string(), size, layout.bytes()));
  std::vector<std::byte> index(layout.bytes());
  file->read(layout.location == IndexLocation::start ? 0 : size - layout.bytes(), index);
  auto places = chunked::with_subject([&] { return "shard " + path.string(); },
                                      [&] { return decode_index(layout, index, size); });
  return ShardReader(std::move(*file), std::move(places));
}

std::span<const std::byte> ShardReader::load(std::size_t slot, std::uint64_t most,
                                             chunked::Scratch& scratch) const {
  const chunked::ChunkPlace place = places_.at(slot);
  if (place.absent()) return {};
  if (place.size == 0 || place.size > most)
    throw Error(fmt::format("chunk {} of shard {} has {} bytes; it should have 1 to {}", slot,
                            file_.path().string(), place.size, most));
  const std::span bytes(scratch.bytes(place.size), place.size);
  file_.read(place.offset, bytes);
  return bytes;
}

}  // namespace spim::zarr
