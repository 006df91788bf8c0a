#pragma once
/// Reads stacks of JPEG 2000 files, one frame each.

#include <string>
#include <vector>

#include "common/file.hpp"
#include "container.hpp"
#include "spim/frame_reader.hpp"
#include "spim/options.hpp"

namespace spim::jp2 {

/// A folder, a pattern or one file. The headers of all files are read when the stack is opened, so that a
/// frame of another shape, one that is missing and one that is cut short are found before any work.
/// Reentrant: every read opens its file and decodes on its own.
class Jp2Stack final : public FrameReader {
 public:
  Jp2Stack(Host& host, const Options& options, std::string_view path);
  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  StackInfo info() const override { return info_; }
  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override;
  /// As the comment of a file of ours says.
  FrameStamp stamp(std::int64_t frame) override;
  void describe(MetadataSink& sink) override;

 private:
  PlaneFile open_frame(const chunked::File& file) const;

  std::vector<std::string> files_;
  CodestreamHeader first_;  ///< of frame 0
  StackInfo info_;
};

}  // namespace spim::jp2
