#include "run_report.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "corrected_example.hpp"
#include "projections.hpp"
#include "run_manifest.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/run_folder.hpp"
#include "spim/host/run_report.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) throw Error(fmt::format("{} cannot be read; make it readable", file.string()));
  return text;
}

ReportPicture picture_of(const Picture& picture, Contrast contrast) {
  return {png_of(picture, contrast), static_cast<double>(picture.columns) * picture.column_um,
          static_cast<double>(picture.rows) * picture.row_um};
}

ProjectionPictures projections_of(Session& session, const fs::path& output) {
  const auto reader = open_volume(session.registry(), session.host(), {}, output);
  const Projections found = project(*reader, session.executor());
  const Index3 shape = reader->level(found.level).shape;
  ProjectionPictures pictures;
  const std::array of{std::pair{&pictures.xy, &found.xy}, std::pair{&pictures.xz, &found.xz},
                      std::pair{&pictures.zy, &found.zy}};
  session.executor().parallel_for(of.size(), [&](std::int64_t i, int) {
    const auto& [target, picture] = of[static_cast<std::size_t>(i)];
    *target = picture_of(*picture, found.contrast);
  });
  pictures.caption = fmt::format("Maximum along z, y and x, of level {} ({} × {} × {} voxels)", found.level,
                                 shape.x, shape.y, shape.z);
  if (found.every > 1) pictures.caption += fmt::format(", of one chunk in {}", found.every);
  pictures.caption += found.empty ? ". All voxels are 0."
                                  : fmt::format(
                                        ". Black is {}, white {} grey levels: percentiles 1 and 99.8 of what "
                                        "is shown where there are data.",
                                        found.contrast.black, found.contrast.white);
  return pictures;
}

/// Fills `target`, or says why not.
template <class T, class F>
void collect(T& target, std::vector<std::string>& missing, const char* what, F&& make) {
  try {
    target = make();
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& error) {
    missing.push_back(fmt::format("{} cannot be shown: {}.", what, error.what()));
  }
}

}  // namespace

fs::path report_page_path(const fs::path& output) {
  return manifest_path(output).replace_extension().replace_extension(".report.html");
}

void save_run_report(Session& session, const StitchRequest& request, const fs::path& output) {
  const fs::path page = fs::absolute(report_page_path(output)).lexically_normal();
  try {
    RunPictures pictures;
    collect(pictures.projections, pictures.missing, "The volume",
            [&] { return projections_of(session, output); });
    collect(pictures.corrections, pictures.missing, "A corrected frame",
            [&] { return corrected_example(session, request); });
    collect(pictures.profile, pictures.missing, "The illumination",
            [&] { return profile_pictures(request); });
    replace_text_durably(page, run_report(text_of(manifest_path(output)), pictures, page));
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& error) {
    session.warn(fmt::format("{}: the page about the run could not be made, the volume is complete: {}",
                             page.string(), error.what()));
  }
}

}  // namespace spim::cli
