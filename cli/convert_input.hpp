#pragma once
/// What is converted: a volume or a stack that a reader knows, as a source of voxels.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "scan_options.hpp"
#include "session.hpp"
#include "spim/host/config.hpp"
#include "spim/host/plane_series.hpp"
#include "spim/host/volume_source.hpp"

namespace spim::cli {

/// What of an input is taken, and how.
struct InputOptions {
  std::string box;         ///< as parse_box() says, in voxels of the level
  std::int64_t level = 0;  ///< of the pyramid, 0 is full resolution
  std::string channels;    ///< numbers with commas; "" for all
  std::string voxel_size;  ///< "X,Y,Z" micrometres; "" for what the file says
};
/// --box, --level, --channels, --voxel-size.
void add_input_options(CommandLine& line, InputOptions& options);

/// One channel of an input.
struct InputChannel {
  std::shared_ptr<VolumeSource> volume;
  Vec3 origin_um;                ///< of voxel (0,0,0) of `volume`
  std::string name;              ///< of the input, for people
  std::string source;            ///< name of its file
  std::int64_t first_plane = 0;  ///< z in the input of plane 0 of `volume`
  /// Of a stack: the camera's record of plane z of `volume`. Empty for volumes. [any thread]
  std::function<FrameStamp(std::int64_t plane)> stamp;

  /// What files of planes say of themselves.
  PlaneLabels labels() const;
};

/// Opens inputs as the options say.
class InputOpener {
 public:
  /// `session` outlives this and what is opened.
  InputOpener(Session& session, const Selections& plugins, const InputOptions& input,
              const StackOptions& stack);

  /// The output cannot do without: where the input does not say how large voxels are, 1 micrometre is taken,
  /// with a warning.
  void need_voxel_size() { needs_voxel_size_ = true; }

  /// The channels of the volume or stack `path`: one, unless it is a volume with several. Throws UsageError
  /// for a level, a channel or a box that it does not have.
  std::vector<InputChannel> open(const std::string& path);
  /// The same for what is a volume.
  std::vector<InputChannel> open_volume_channels(const std::string& path);

 private:
  InputChannel open_stack(const std::string& path);
  LevelInfo first_image(FrameReader& reader) const;
  /// What the user says, or else the file's `um`.
  Vec3 voxel_size(Vec3 um, const std::string& path) const;
  /// The box of `volume`, whose voxel (0,0,0) is at `origin_um`.
  InputChannel boxed(std::unique_ptr<VolumeSource> volume, Vec3 origin_um, const std::string& path) const;

  Session* session_;
  Selections plugins_;
  InputOptions options_;
  StackOpener stacks_;
  bool oriented_;  ///< only frames can be
  Vec3 voxel_um_;  ///< 0: as the file says
  bool needs_voxel_size_ = false;
};

}  // namespace spim::cli
