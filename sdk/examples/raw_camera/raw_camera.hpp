#pragma once
/// Frames of a raw camera dump: see README.md for the format.

#include <spim/plugin.hpp>
#include <string>

namespace raw_camera {

/// An open file, closed with the object.
class File {
 public:
  /// Throws spim::Error when `path` cannot be opened.
  explicit File(std::string_view path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::int64_t size() const;
  /// Reads exactly `bytes` bytes at `offset`; throws spim::Error when they are not there. [any thread]
  void read(std::int64_t offset, void* to, std::int64_t bytes) const;

 private:
  std::string path_;
  int descriptor_;
};

class Reader final : public spim::FrameReader {
 public:
  Reader(spim::Host& host, const spim::Options& options, std::string_view path);

  /// Certain when the file starts with the format's first eight bytes.
  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  spim::StackInfo info() const override { return info_; }
  void read(std::int64_t frame, std::int64_t first_row, spim::ImageView<std::uint16_t> out) override;
  spim::FrameStamp stamp(std::int64_t frame) override;
  void describe(spim::MetadataSink& sink) override;

 private:
  void read_header();
  void read_samples(std::int64_t offset, std::uint16_t* to, std::int64_t count) const;

  File file_;
  bool swap_bytes_;               // samples are big-endian
  std::uint16_t subtract_;        // grey levels taken off every sample
  std::int64_t frame_pitch_ = 0;  // bytes from one frame's stamp to the next
  spim::StackInfo info_;
};

}  // namespace raw_camera
