#pragma once
/// Options that say how frames are corrected, and what they become.

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "plugin_choice.hpp"
#include "session.hpp"
#include "spim/host/config.hpp"
#include "spim/host/frame_corrector.hpp"

namespace spim::cli {

/// How frames are corrected, beside the destriping method, which is a plugin.
struct CorrectionOptions {
  std::string flat;  ///< TIFF file; "" or "none": no flat
  double dark = 0;   ///< grey levels
  double magnification = 1;
  std::string magnification_center;  ///< "x,y"; empty: the middle

  bool has_flat() const { return !flat.empty() && flat != "none"; }
  /// Files that must not be replaced by what is made with them.
  std::vector<std::filesystem::path> inputs() const {
    return has_flat() ? std::vector<std::filesystem::path>{flat} : std::vector<std::filesystem::path>{};
  }
};

/// --destripe with the options of the methods, --flat, --dark, --magnification, --magnification-plane-center.
void add_correction_options(CommandLine& line, CorrectionOptions& options, PluginChoice& plugins);

/// Makes the correctors of one command, and reports at its end. [any thread]
class Correctors {
 public:
  /// Reads the flat and creates the destriper of `plugins`, if any. `session` outlives this and the
  /// correctors.
  Correctors(Session& session, const Selections& plugins, const CorrectionOptions& options);

  /// True when frames stay as they are.
  bool none() const { return what_.none(); }
  /// The corrector of oriented frames of a shape, one for all that have it.
  std::shared_ptr<FrameCorrector> for_shape(std::int64_t rows, std::int64_t columns);
  const std::shared_ptr<ClipTally>& tally() const { return tally_; }

  /// Says how many samples did not fit into uint16.
  void report() const;

 private:
  std::shared_ptr<Destriper> new_destriper() const;

  Session* session_;
  Selection destripe_;
  FrameCorrections what_;
  std::mutex mutex_;
  std::shared_ptr<ClipTally> tally_ = std::make_shared<ClipTally>();
  std::map<std::pair<std::int64_t, std::int64_t>, std::shared_ptr<FrameCorrector>> correctors_;
};

}  // namespace spim::cli
