#pragma once
/// Reads one JPEG 2000 file as a volume of one plane.

#include "common/file.hpp"
#include "container.hpp"
#include "spim/options.hpp"
#include "spim/volume_reader.hpp"

namespace spim::jp2 {

/// Reentrant: every read decodes on its own.
class Jp2Reader final : public VolumeReader {
 public:
  Jp2Reader(Host& host, const Options& options, std::string_view path);
  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  VolumeInfo info() const override;
  LevelInfo level(std::int32_t level) const override;
  void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) override;
  void describe(MetadataSink& sink) override;

 private:
  chunked::File file_;
  PlaneFile plane_;
};

/// Reports what a file says of itself, for both readers.
void describe_plane_file(MetadataSink& sink, const PlaneFile& plane);

}  // namespace spim::jp2
