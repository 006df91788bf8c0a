#pragma once
/// A finished run as a page to look at: one HTML file without scripts that needs nothing from elsewhere, in
/// light and in dark, and that prints well.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace spim {

/// A PNG file, and how large what it shows is.
struct ReportPicture {
  std::string png;
  double width_um = 0;
  double height_um = 0;
};

/// The volume from three sides.
struct ProjectionPictures {
  ReportPicture xy;  ///< x to the right, y down
  ReportPicture xz;  ///< x to the right, z down
  ReportPicture zy;  ///< z to the right, y down
  std::string caption;
};

/// A camera frame as it was stored and as it went into the volume.
struct CorrectionPictures {
  ReportPicture before, after;                ///< the whole frame
  ReportPicture detail_before, detail_after;  ///< a part of it, pixel by pixel
  std::string caption;
};

/// The illumination that frames were divided by, relative to its brightest pixel.
struct ProfilePictures {
  ReportPicture picture;
  double darkest = 1;                    ///< of 1
  std::vector<double> along_x, along_y;  ///< means over the other axis, evenly spaced
  std::string caption;
};

/// What a page shows beside the numbers.
struct RunPictures {
  std::optional<ProjectionPictures> projections;
  std::optional<CorrectionPictures> corrections;
  std::optional<ProfilePictures> profile;
  std::vector<std::string> missing;  ///< why something is not shown, one sentence each
};

/// The page, UTF-8. All numbers are those of `manifest`, the text of OUTPUT.run.json; `page` is where the
/// page will be, so that links to other pages are relative. Throws Error when the manifest is none.
std::string run_report(const std::string& manifest, const RunPictures& pictures,
                       const std::filesystem::path& page);

}  // namespace spim
