#include "block_columns.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "common/file.hpp"
#include "common/precomputed_info.hpp"
#include "spim/error.hpp"

namespace spim::blockfs {

namespace fs = std::filesystem;

namespace {

constexpr char kMagic[8] = {'B', 'l', 'k', 'C', 'o', 'l', 'm', 'n'};
constexpr std::size_t kTail = 16;   ///< number of blocks and the magic
constexpr std::size_t kPlace = 16;  ///< offset and size

std::uint64_t get_u64(const std::byte* from) {
  std::uint64_t v = 0;
  std::memcpy(&v, from, sizeof v);
  return v;
}

void put_u64(std::vector<std::byte>& to, std::uint64_t v) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&v);
  to.insert(to.end(), bytes, bytes + sizeof v);
}

/// Writes behind the `end` bytes that the file has; creates it when that is 0.
void add_bytes(const fs::path& path, std::uint64_t end, std::span<const std::byte> bytes) {
  chunked::File file = end == 0 ? chunked::File::create(path) : chunked::File::reopen(path);
  file.write(end, bytes);
  file.begin_sync();
  file.close();
}

}  // namespace

struct BlockColumns::Column {
  std::mutex mutex;
  std::size_t next = 0;  ///< y of the block that is stored next
  std::map<std::size_t, std::vector<std::byte>> early;
  std::vector<BlockPlace> places;
  std::uint64_t end = 0;
  fs::path path;  ///< there is a file from the first block that is not zero on
};

Index3 block_grid(const VolumeSpec& spec, std::int32_t level) noexcept {
  return ceil_div(level_shape(spec.shape, level), spec.chunk);
}

std::string column_file(const VolumeSpec& spec, const ChunkAddress& block) {
  const std::int64_t number = block.index.x + block.index.z * block_grid(spec, block.level).x;
  return fmt::format("{}/{}.{}", chunked::level_key(block.level), kDirectoryName, number);
}

BlockColumns::BlockColumns(fs::path root, const VolumeSpec& spec, const PartName& part)
    : root_(std::move(root)), unfinished_(root_ / fmt::format(".part-{}", part.token)), spec_(spec) {
  for (std::int32_t level = 0; level < spec.levels; ++level)
    chunked::create_folders(root_ / chunked::level_key(level));
}

BlockColumns::~BlockColumns() = default;

std::shared_ptr<BlockColumns::Column> BlockColumns::column_of(const ChunkAddress& block) {
  const std::string name = column_file(spec_, block);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Column>& column = open_[name];
  if (!column) {
    column = std::make_shared<Column>();
    column->path = unfinished_.path() /
                   fmt::format("{}-{}", chunked::level_key(block.level), fs::path(name).filename().string());
  }
  return column;
}

void BlockColumns::append(Column& column, std::span<const std::byte> frame) const {
  column.places.push_back(frame.empty() ? BlockPlace{} : BlockPlace{column.end, frame.size()});
  ++column.next;
  if (frame.empty()) return;
  add_bytes(column.path, column.end, frame);
  column.end += frame.size();
}

void BlockColumns::store(const ChunkAddress& block, std::span<const std::byte> frame) {
  const std::shared_ptr<Column> column = column_of(block);
  const auto y = static_cast<std::size_t>(block.index.y);
  const std::lock_guard lock(column->mutex);
  if (y != column->next) {
    column->early.emplace(y, std::vector<std::byte>(frame.begin(), frame.end()));
    return;
  }
  append(*column, frame);
  // In the order of y, so that the file does not depend on who was faster.
  for (auto it = column->early.begin(); it != column->early.end() && it->first == column->next;
       it = column->early.erase(it))
    append(*column, it->second);
  if (column->next == static_cast<std::size_t>(block_grid(spec_, block.level).y)) close(block, *column);
}

void BlockColumns::close(const ChunkAddress& block, Column& column) {
  const std::string name = column_file(spec_, block);
  if (column.end > 0) {
    std::vector<std::byte> tail;
    for (const BlockPlace& place : column.places) {
      put_u64(tail, place.offset);
      put_u64(tail, place.size);
    }
    put_u64(tail, column.places.size());
    const auto magic = std::as_bytes(std::span(kMagic));
    tail.insert(tail.end(), magic.begin(), magic.end());
    add_bytes(column.path, column.end, tail);
    chunked::put_in_place(column.path, root_ / name);
  }
  const std::lock_guard lock(mutex_);
  if (column.end > 0) stored_.push_back(name);
  open_.erase(name);
}

void BlockColumns::finish(FileSink& files) {
  if (!open_.empty())
    throw Error(fmt::format("{} lacks blocks; each block must be written once", open_.begin()->first));
  for (const std::string& name : stored_) files.file(name);
}

std::vector<BlockPlace> read_column(const fs::path& path, std::int64_t blocks) {
  const auto file = chunked::File::open_if_exists(path);
  if (!file) return {};
  const std::uint64_t size = file->size();
  const std::size_t bytes = static_cast<std::size_t>(blocks) * kPlace + kTail;
  if (size < bytes)
    throw Error(fmt::format("{} has {} bytes, too few for its {} blocks", path.string(), size, blocks));
  std::vector<std::byte> tail(bytes);
  file->read(size - bytes, tail);
  const std::byte* const end = tail.data() + bytes - kTail;
  if (get_u64(end) != static_cast<std::uint64_t>(blocks) || std::memcmp(end + 8, kMagic, sizeof kMagic) != 0)
    throw Error(
        fmt::format("{} does not end as a column of {} blocks; it is damaged", path.string(), blocks));
  std::vector<BlockPlace> places;
  for (const std::byte* at = tail.data(); at < end; at += kPlace) {
    const BlockPlace place{get_u64(at), get_u64(at + 8)};
    if (place.offset > size || place.size > size - place.offset)
      throw Error(fmt::format("{} says that a block ends behind its end; it is damaged", path.string()));
    places.push_back(place);
  }
  return places;
}

}  // namespace spim::blockfs
