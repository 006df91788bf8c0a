#pragma once
/// Reads frames from TIFF files: one file per frame, or one file of many pages.

#include <memory>
#include <string>
#include <vector>

#include "page_pool.hpp"
#include "spim/frame_reader.hpp"
#include "spim/options.hpp"

namespace spim {

/// `path` is a file, a folder or a glob expression. Reentrant.
class TiffFrames final : public FrameReader {
 public:
  /// Opens and checks every page.
  TiffFrames(Host& host, const Options& options, std::string_view path);

  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  StackInfo info() const override { return info_; }
  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override;
  void describe(MetadataSink& sink) override;

 private:
  void open_files(Host& host);
  void open_pages(Host& host);
  void check_alike(const tiff::PageInfo& page, const std::string& subject) const;
  std::unique_ptr<tiff::Page> open(std::int64_t frame) const;
  std::string subject(std::int64_t frame) const;

  std::vector<std::string> files_;
  std::shared_ptr<const tiff::PageFile> only_;  ///< where there is one file
  std::vector<std::uint64_t> places_;           ///< of its pages
  tiff::PageInfo first_;
  StackInfo info_;
  tiff::PagePool pool_;
};

}  // namespace spim
