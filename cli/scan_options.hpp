#pragma once
/// Options that say how the microscope scanned and how its camera files are read.

#include <memory>
#include <string>

#include "command_line.hpp"
#include "correction_options.hpp"
#include "session.hpp"
#include "spim/host/config.hpp"
#include "spim/host/frame_source.hpp"
#include "spim/host/oblique_geometry.hpp"

namespace spim::cli {

/// --x-step-size, --y-voxel-size, --tilt, --negative-x.
struct ScanOptions {
  double x_step_um = 1.28;
  double y_voxel_um = 1.8;
  double tilt_degrees = 45;
  bool negative_x = false;

  ScanSettings settings() const { return {y_voxel_um, x_step_um, tilt_degrees, negative_x ? -1 : 1}; }
};
void add_scan_options(CommandLine& line, ScanOptions& options);

/// How a camera file becomes frames.
struct StackOptions {
  std::int64_t rotate_90 = 0;
  bool flip_ud = false;
  std::int64_t start = 0;
  std::int64_t stop = 0;
  bool allow_truncated = false;
  std::string on_bad_frame;     ///< "": the command has no such option
  bool list_bad_frames = true;  ///< in the session
  CorrectionOptions corrections;
};
/// --rotate-90, --flip-ud, --allow-truncated.
void add_stack_options(CommandLine& line, StackOptions& options);
/// --on-bad-frame.
void add_bad_frame_option(CommandLine& line, StackOptions& options);
/// --start, --stop.
void add_range_options(CommandLine& line, StackOptions& options);
/// Options of the original programs that are not there: refused, never ignored.
void refuse_missing_options(CommandLine& line);

/// Whether opening a camera file reports frames that are missing, which takes a look at every frame.
enum class StackChecks { report, none };

/// Opens camera files as the options say.
class StackOpener {
 public:
  /// Reads the flat and creates the destriper of `plugins`, if any. `session` outlives this and what is
  /// opened.
  StackOpener(Session& session, const Selections& plugins, const StackOptions& options);

  /// The corrected frames of one file. A file that is cut short is refused unless the user allows it or asks
  /// only for frames that are there; frames that the camera dropped are reported, if `checks` says so.
  std::unique_ptr<FrameSource> open(const std::filesystem::path& path,
                                    StackChecks checks = StackChecks::report);
  /// The frames of one file as stored, with the same rules for a file that is cut short; those that cannot be
  /// read are bridged as the options say.
  std::shared_ptr<FrameReader> open_stored(const std::filesystem::path& path,
                                           StackChecks checks = StackChecks::report) const;
  /// The corrected frames of a file that open_stored() opened; what open() does with it.
  std::unique_ptr<FrameSource> frames_of(const std::filesystem::path& path,
                                         const std::shared_ptr<FrameReader>& reader,
                                         StackChecks checks = StackChecks::report);
  /// How frames are corrected.
  const Correctors& corrections() const { return corrections_; }

 private:
  void report_gaps(const std::filesystem::path& path, FrameReader& reader) const;

  Session* session_;
  StackOptions options_;
  Selection reader_;
  Correctors corrections_;
};

}  // namespace spim::cli
