#include "tiff_outputs.hpp"

#include <fmt/format.h>

#include <set>

#include "spim/error.hpp"
#include "spim/host/file_id.hpp"
#include "spim/host/tiff_image.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

void TiffOutputs::check(std::int64_t count, const std::function<std::string(std::int64_t)>& name,
                        const std::vector<fs::path>& inputs) const {
  std::set<FileId> input_ids;
  for (const fs::path& input : inputs)
    if (const auto id = file_id(input)) input_ids.insert(*id);
  std::string first;
  std::int64_t taken = 0;
  std::error_code error;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string path = name(i);
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) continue;
    if (fs::is_directory(status)) throw Error(fmt::format("{} is a folder; choose another output", path));
    if (const auto id = file_id(path); id && input_ids.contains(*id))
      throw Error(fmt::format("{} is an input; choose another output", path));
    if (first.empty()) first = path;
    ++taken;
  }
  if (taken > 0 && !overwrite_)
    throw Error(fmt::format("{}{} already; choose another output or give --overwrite", first,
                            taken == 1 ? " exists" : fmt::format(" and {} more exist", taken - 1)));
}

void TiffOutputs::write(const fs::path& path, ImageView<const std::uint16_t> image) const {
  TiffSettings settings;
  settings.deflate = deflate_;
  settings.description = fmt::format("{{\"shape\": [{}, {}]}}", image.rows, image.columns);
  publish_tiff(path, image, settings, overwrite_ ? Existing::replace : Existing::refuse);
}

}  // namespace spim::cli
