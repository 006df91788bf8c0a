#pragma once
/// Reads a TIFF file of one or many pages as a volume, with levels of lower resolution where it has them.

#include <memory>
#include <string>
#include <vector>

#include "page_pool.hpp"
#include "spim/options.hpp"
#include "spim/volume_reader.hpp"

namespace spim {

/// Pages are planes z; their sub-directories are the coarser levels: those of OME-TIFF, which keep z, or
/// those of our own plain files, where every 2^l-th page has the plane of level l. Reentrant.
class TiffVolume final : public VolumeReader {
 public:
  TiffVolume(Host& host, const Options& options, std::string_view path);

  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  VolumeInfo info() const override;
  LevelInfo level(std::int32_t level) const override;
  void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) override;
  void describe(MetadataSink& sink) override;

 private:
  struct Level {
    LevelInfo info;
    std::vector<std::uint64_t> places;  ///< of its pages
  };

  std::vector<tiff::PageInfo> look_at_pages(Host& host, const std::vector<std::uint64_t>& places,
                                            const char* what) const;
  void add_levels(Host& host, const std::vector<tiff::PageInfo>& pages);
  void add_level(Host& host, std::vector<std::uint64_t> places, Index3 shape);
  void set_lengths();

  std::shared_ptr<const tiff::PageFile> file_;
  tiff::PageInfo first_;
  std::vector<Level> levels_;
  tiff::PagePool pool_;  ///< by place
};

}  // namespace spim
