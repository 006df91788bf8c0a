#pragma once
/// Many files of one plane each: their names, what may be replaced, what an earlier run has finished.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "spim/host/progress.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/volume_source.hpp"
#include "spim/volume_writer.hpp"

namespace spim {

/// What to do with names that are taken.
enum class TakenNames {
  refuse,   ///< nothing is written
  replace,  ///< each file as soon as the new one is whole
  keep      ///< files that are whole stay (an interrupted run goes on); others are replaced
};

/// What a series is.
struct PlaneSeriesSettings {
  std::int64_t count = 0;  ///< of planes
  /// File of plane 0 … count − 1. [any thread]
  std::function<std::filesystem::path(std::int64_t plane)> name;
  std::vector<std::filesystem::path> inputs;  ///< files that planes are made from; never replaced
  TakenNames taken = TakenNames::refuse;
  /// For TakenNames::keep: whether a file of an earlier run is what this run would write. [any thread]
  std::function<bool(std::int64_t plane, const std::filesystem::path& file)> is_whole;
  /// Creates the writer of one file at `path`. [any thread]
  std::function<std::unique_ptr<VolumeWriter>(const std::filesystem::path& path)> create_writer;
};

/// One plane on its way into its file, which appears whole or not at all. The plane may be given chunk by
/// chunk, in any order, from any thread, as VolumeWriter says.
class PlaneFile {
 public:
  /// Creates the temporary file. `spec` is that of one plane: shape.z is 1.
  PlaneFile(std::filesystem::path name, const PlaneSeriesSettings& settings, const VolumeSpec& spec);

  /// Voxels of a chunk, as the writer wants them: x, y, 1.
  Index3 chunk() const noexcept { return spec_.chunk; }
  VolumeWriter& writer() noexcept { return *writer_; }
  /// Writes the whole plane. [one thread]
  void write(VolumeView<const std::uint16_t> plane);
  /// After the last chunk: completes the content. The file has no name yet. [one thread, once]
  void finish();

  /// Makes finished files durable and gives them their names; what fails leaves those before it named.
  static void publish(std::span<const std::unique_ptr<PlaneFile>> files);

 private:
  Publication publication_;
  VolumeSpec spec_;
  std::unique_ptr<VolumeWriter> writer_;
};

/// Looks at all names once, before any work.
class PlaneSeries {
 public:
  /// Throws Error when two planes have one name, when a name is that of a folder or of an input, or when it
  /// is taken and may not be.
  PlaneSeries(PlaneSeriesSettings settings, const Executor& executor);

  /// Planes to write, rising; the others are there already.
  std::span<const std::int64_t> wanted() const noexcept { return wanted_; }
  std::int64_t count() const noexcept { return settings_.count; }
  TakenNames taken() const noexcept { return settings_.taken; }
  std::filesystem::path name(std::int64_t plane) const { return settings_.name(plane); }

  /// The chunks in which the writer takes a plane of `spec`.
  Index3 chunk_shape(const VolumeSpec& spec) const;
  /// Bytes that the writer says it keeps for a plane of `spec`.
  std::int64_t writer_bytes(VolumeSpec spec) const;
  /// Begins the file of `plane`, a wanted one. [any thread]
  std::unique_ptr<PlaneFile> create(std::int64_t plane, const VolumeSpec& spec) const;

 private:
  PlaneSeriesSettings settings_;
  std::vector<std::int64_t> wanted_;
};

/// What the files of a series say beside their voxels.
struct PlaneLabels {
  std::string name, source;  ///< as in VolumeSpec
  Vec3 origin_um;            ///< of plane 0
  std::int64_t first_frame = -1;
  std::function<FrameStamp(std::int64_t plane)> stamp;  ///< may be empty. [any thread]
};

/// What the file of `plane` is asked to hold. Borrows the texts of `labels`.
VolumeSpec plane_spec(const VolumeSource& source, const PlaneLabels& labels, std::int64_t plane);

/// How a series is written.
struct PlaneWork {
  const Executor* executor = nullptr;
  Progress* progress = nullptr;
  std::int64_t memory_bytes = 0;
};

/// Writes the wanted planes z of `source`, each read whole by one worker, several at a time: for sources
/// whose planes cost nothing beyond themselves (frames). Uses fewer workers where the memory has no room for
/// a plane of each; throws Error naming the bytes when it has none for one. Returns the number of workers.
int write_planes(const VolumeSource& source, const PlaneSeries& series, const PlaneLabels& labels,
                 const PlaneWork& work);

}  // namespace spim
