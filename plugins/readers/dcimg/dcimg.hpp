#pragma once
/// Reads DCIMG files of Hamamatsu cameras (docs/dcimg.md).

#include <string>

#include "positional_file.hpp"
#include "session.hpp"
#include "spim/frame_reader.hpp"
#include "spim/options.hpp"

namespace spim {

/// One session of a DCIMG file, read by position. Reentrant: nothing changes after construction.
class DcimgReader : public FrameReader {
 public:
  /// Options: padding, restore-pixels, session (see dcimg_options.hpp).
  DcimgReader(Host& host, const Options& options, std::string_view path);

  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  StackInfo info() const override;
  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override;
  FrameStamp stamp(std::int64_t frame) override;
  void describe(MetadataSink& sink) override;

 private:
  struct Request;
  void check(std::int64_t frame, std::int64_t first_row, const ImageView<std::uint16_t>& out) const;
  [[noreturn]] void refuse_frame(std::int64_t frame) const;
  void read_bytes(const Request& request, std::int64_t at, void* to, std::size_t size) const;
  void read_groups_of_rows(const Request& request) const;
  void read_long_rows(const Request& request) const;
  void restore_pixels(const Request& request) const;
  void describe_camera(MetadataSink& sink) const;
  void describe_stamps(MetadataSink& sink);

  Host& host_;
  dcimg_reader::PositionalFile file_;
  dcimg_reader::Session session_;
  bool restore_;
  bool padding_at_start_;
};

}  // namespace spim
