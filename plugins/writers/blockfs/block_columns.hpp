#pragma once
/// Block files of volumes that several processes write together: one for each column of blocks along y,
/// because a directory says which blocks a file holds by a formula, and columns are what one task owns.
///
/// A column is file `precomputed.blockfs.N`, N = x + z·nx: Blosc frames in the order of y, then for each y
/// u64 offset and u64 size (0: a block of zeros), then u64 number of blocks and "BlkColmn". Readers of the
/// format only look where the directory points; the end is what the directory is made from. A column of zeros
/// has no file.

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "block_directory.hpp"
#include "common/part_files.hpp"
#include "spim/volume_writer.hpp"

namespace spim::blockfs {

/// Blocks of a level along x, y, z.
Index3 block_grid(const VolumeSpec& spec, std::int32_t level) noexcept;

/// The file of the column that holds `block`, relative to the volume.
std::string column_file(const VolumeSpec& spec, const ChunkAddress& block);

/// The columns that one part writes. No file stays open between two calls: where a volume is written in bands
/// of y, thousands of columns are begun before the first is complete. [any thread]
class BlockColumns {
 public:
  BlockColumns(std::filesystem::path root, const VolumeSpec& spec, const PartName& part);
  ~BlockColumns();

  /// Takes the frame of a block; an empty one is a block of zeros. Blocks of a column may come in any order;
  /// those that come early wait in memory.
  void store(const ChunkAddress& block, std::span<const std::byte> frame);

  /// Names the files. Throws Error when a column lacks a block. [one thread]
  void finish(FileSink& files);

 private:
  struct Column;
  std::shared_ptr<Column> column_of(const ChunkAddress& block);
  void append(Column& column, std::span<const std::byte> frame) const;
  void close(const ChunkAddress& block, Column& column);

  std::filesystem::path root_;
  chunked::UnfinishedFolder unfinished_;
  VolumeSpec spec_;
  std::mutex mutex_;  ///< of what follows
  std::map<std::string, std::shared_ptr<Column>> open_;
  std::vector<std::string> stored_;
};

/// Where the blocks of a stored column lie; empty when there is no such file. Throws Error when it is
/// damaged.
std::vector<BlockPlace> read_column(const std::filesystem::path& file, std::int64_t blocks);

}  // namespace spim::blockfs
