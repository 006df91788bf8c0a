#pragma once
/// Camera files for tests: one of each valid kind, and every way in which one can be damaged.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "spim/host/dcimg_writer.hpp"

namespace spim::test {

/// A valid file: usually of one session.
struct DcimgSample {
  std::string name;
  std::vector<DcimgSettings> sessions;
  const DcimgSettings& settings() const { return sessions.front(); }
};

/// One of each kind that cameras write or that readers have been seen to get wrong.
std::vector<DcimgSample> valid_dcimg_samples();

/// The sample called `name`.
DcimgSample valid_dcimg_sample(const std::string& name);

/// True value of a pixel of a sample: it tells where it belongs, and is never 65535 (or 255).
std::uint16_t dcimg_pixel(const DcimgSettings& settings, std::int64_t frame, std::int64_t row,
                          std::int64_t column);

void write_dcimg_sample(const std::filesystem::path& path, const DcimgSample& sample);

/// What a careful reader makes of a damaged file.
enum class Outcome {
  refused,             ///< it cannot be opened
  readable,            ///< the frames are there; every pixel and stamp is right
  readable_no_stamps,  ///< the same without counters and times
  readable_or_refused,
  overwritten,  ///< all pixels are right but the overwritten ones, whose true values are lost
  partial,  ///< only the first frames are there; in v7 overwritten pixels are lost with the end of the file
};

/// A damaged file and what it must lead to.
struct DamagedDcimg {
  std::string name;
  std::vector<std::uint8_t> bytes;
  Outcome outcome;
  std::int64_t fewest_frames, most_frames;  ///< that can be read, unless refused
};

/// Every kind of damage that applies to the version of `settings`, done to a file of it.
std::vector<DamagedDcimg> damaged_dcimgs(const DcimgSettings& settings,
                                         const std::filesystem::path& scratch_folder);

}  // namespace spim::test
