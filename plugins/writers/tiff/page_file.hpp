#pragma once
/// Where the pages of a TIFF file are, and reading one of them.

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "spim/image.hpp"

namespace spim::tiff {

/// An open TIFF or BigTIFF file of either byte order, read by position. [any thread after construction]
class PageFile {
 public:
  /// Reads the header. Throws Error when `path` cannot be opened or is no TIFF file.
  explicit PageFile(std::string path);
  ~PageFile();
  PageFile(const PageFile&) = delete;
  PageFile& operator=(const PageFile&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::int64_t bytes() const noexcept { return opened_.st_size; }
  /// Place of the first directory.
  std::uint64_t first() const noexcept { return first_; }
  /// Places of the directories of all pages, in order. Throws Error when one is not inside the file.
  std::vector<std::uint64_t> places() const;

  /// Reads up to `size` bytes; a file that is seen from `place` has the directory there as its first.
  std::size_t read(std::uint64_t place, std::uint64_t at, void* to, std::size_t size) const;
  /// Throws Error when the file is not as it was when it was opened.
  void check_unchanged() const;

 private:
  std::uint64_t number_at(std::uint64_t at, std::size_t bytes) const;
  std::size_t read_bytes(std::uint64_t at, void* to, std::size_t size) const;

  std::string path_;
  int descriptor_ = -1;
  struct stat opened_ {};
  bool big_endian_ = false;
  bool big_ = false;
  std::uint64_t first_ = 0;
};

/// What a page holds.
struct PageInfo {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  PixelType type = PixelType::u16;
  bool tiled = false;
  bool reduced = false;         ///< a preview of another page
  std::int64_t block_rows = 0;  ///< of a strip or tile
  std::int64_t block_columns = 0;
  std::string compression;  ///< in words
  std::string description;  ///< tag ImageDescription
  std::string software;
  Vec3 voxel_um;         ///< from the resolution, where its unit is one of length; z is 0
  Vec3 pixels_per_unit;  ///< the resolution as it is, whatever its unit; 0 where there is none; z is 0
  std::vector<std::uint64_t> coarser;  ///< places of the directories of lower resolution
};

/// One page, and the strip or tile that was decoded last. [one thread]
class Page {
 public:
  /// Reads and checks the directory at `place`: grey, unsigned, 8 or 16 bits, a known compression, all strips
  /// or tiles inside the file. `subject` names the page in messages. Throws Error.
  Page(std::shared_ptr<const PageFile> file, std::uint64_t place, std::string subject);
  ~Page();
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  const PageInfo& info() const noexcept { return info_; }
  std::uint64_t place() const noexcept { return place_; }
  const PageFile* file() const noexcept { return file_.get(); }

  /// Rows and columns from (first_row, first_column) on, inside the page; uint8 is widened. Throws Error when
  /// they cannot be decoded or the file was changed.
  void read(std::int64_t first_row, std::int64_t first_column, ImageView<std::uint16_t> out);

 private:
  class Directory;
  const unsigned char* decoded(std::uint32_t number);

  std::shared_ptr<const PageFile> file_;
  std::uint64_t place_;
  std::string subject_;
  PageInfo info_;
  std::unique_ptr<Directory> directory_;
  std::vector<unsigned char> block_;
  std::int64_t decoded_ = -1;  ///< number of the block in block_
};

}  // namespace spim::tiff
