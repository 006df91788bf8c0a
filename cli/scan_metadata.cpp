#include "scan_metadata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>
#include <tuple>

#include "channel_run.hpp"
#include "spim/error.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kMostBytes = 64 << 20;
constexpr std::string_view kRemedy =
    "correct it, or move the file away and give --x-step-size and --y-voxel-size";

/// No stage reaches farther, in tenths of a micrometre.
constexpr double kFarthest = 1e12;

/// In tenths of a micrometre, as files are named.
using Position = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

Position position_of(Vec3 um) {
  return {std::llround(um.x * 10), std::llround(um.y * 10), std::llround(um.z * 10)};
}

/// The file is Latin-1, and a value from it may stand in a message.
std::string printable_cell(const std::string& cell) {
  std::string text;
  for (const char c : cell) text += c >= ' ' && c < 0x7F ? c : '?';
  return text;
}

/// One line, cut at its tabs.
struct Row {
  std::int64_t number = 0;  ///< counted from 1
  std::vector<std::string> cells;

  bool blank() const {
    return std::ranges::all_of(cells, [](const std::string& cell) { return cell.empty(); });
  }
};

class MetadataParser {
 public:
  MetadataParser(const fs::path& file, const std::string& text) : file_(file) {
    std::int64_t number = 0;
    for (const std::string& line : split(text, '\n')) {
      Row row{++number, split(line, '\t')};
      for (std::string& cell : row.cells) trim(cell);
      if (!row.blank()) rows_.push_back(std::move(row));
    }
  }

  ScanMetadata parse() const {
    if (rows_.size() < 2)
      throw Error(
          fmt::format("{}: has {} lines, but the first two name and give the voxel size and the step; {}",
                      file_.string(), rows_.size(), kRemedy));
    ScanMetadata metadata;
    metadata.file = file_;
    const Row &header = rows_[0], &values = rows_[1];
    metadata.y_voxel_um = length(values, column_of(header, "m/pix"), "size of a pixel");
    metadata.x_step_um = length(values, column_of(header, "Step"), "step");
    metadata.camera_columns = camera_columns(header, values);
    // Newer microscopes say so that they do not turn y round.
    for (const Row* row : {&header, &values})
      for (const std::string& cell : row->cells) metadata.negative_y |= cell.starts_with("NoOffset");
    metadata.stage_um = positions();
    return metadata;
  }

 private:
  static void trim(std::string& cell) {
    while (!cell.empty() && (cell.back() == '\r' || cell.back() == ' ')) cell.pop_back();
    cell.erase(0, cell.find_first_not_of(' '));
  }

  [[noreturn]] void refuse(const Row& row, const std::string& what) const {
    throw Error(fmt::format("{}: line {}: {}; {}", file_.string(), row.number, what, kRemedy));
  }

  std::size_t column_of(const Row& header, std::string_view word) const {
    for (std::size_t i = 0; i < header.cells.size(); ++i)
      if (header.cells[i].find(word) != std::string::npos) return i;
    refuse(header, fmt::format("no column is called {}", word == "Step" ? "X/Z Step" : "um/pix"));
  }

  double length(const Row& row, std::size_t column, std::string_view what) const {
    const std::string cell = column < row.cells.size() ? row.cells[column] : std::string();
    try {
      if (const double um = parse_number(cell); um > 0 && um <= 1e6) return um;
    } catch (const UsageError&) {
      // said below
    }
    refuse(row,
           fmt::format("the {} is \"{}\", which is no length in micrometres", what, printable_cell(cell)));
  }

  static std::int64_t camera_columns(const Row& header, const Row& values) {
    const auto at = std::ranges::find(header.cells, "Res") - header.cells.begin();
    if (at >= std::ssize(values.cells)) return 0;
    try {
      return std::max<std::int64_t>(parse_integer(values.cells[static_cast<std::size_t>(at)]), 0);
    } catch (const UsageError&) {
      return 0;  // nothing is computed from it
    }
  }

  /// The rows below the header X, Y, Z.
  std::vector<Vec3> positions() const {
    std::vector<Vec3> found;
    const auto is_header = [](const Row& row) {
      return row.cells.size() >= 3 && row.cells[0] == "X" && row.cells[1] == "Y" && row.cells[2] == "Z";
    };
    for (auto row = std::ranges::find_if(rows_, is_header); row != rows_.end() && ++row != rows_.end();)
      found.push_back(position(*row));
    return found;
  }

  Vec3 position(const Row& row) const {
    double tenths[3] = {};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::string cell = axis < row.cells.size() ? row.cells[axis] : std::string();
      try {
        tenths[axis] = static_cast<double>(parse_integer(cell));
      } catch (const UsageError&) {
        tenths[axis] = kFarthest + 1;
      }
      if (std::abs(tenths[axis]) > kFarthest)
        refuse(row, fmt::format("{} of the stack is \"{}\", which is no number of tenths of a micrometre",
                                "xyz"[axis], printable_cell(cell)));
    }
    return {tenths[0] / 10, tenths[1] / 10, tenths[2] / 10};
  }

  const fs::path& file_;
  std::vector<Row> rows_;  ///< that are not blank
};

void check_positions(Session& session, const StitchRequest& request, const ScanMetadata& metadata,
                     const std::vector<TilePath>& tiles) {
  if (metadata.stage_um.empty()) return;
  std::set<Position> listed, there;
  for (const Vec3 um : metadata.stage_um) listed.insert(position_of(um));
  for (const TilePath& tile : tiles) there.insert(position_of(tile.stage_um));
  std::vector<Position> missing, unknown;
  std::ranges::set_difference(listed, there, std::back_inserter(missing));
  std::ranges::set_difference(there, listed, std::back_inserter(unknown));
  const auto text = [](const Position& p) {
    const auto um = [](std::int64_t tenths) { return static_cast<double>(tenths) / 10; };
    return position_text({um(std::get<0>(p)), um(std::get<1>(p)), um(std::get<2>(p))});
  };
  const auto more = [](std::size_t count) { return count > 1 ? fmt::format(" (one of {})", count) : ""; };
  const std::string file = metadata.file.string(), input = request.stitch.input;
  if (missing.size() == listed.size())
    session.warn(
        fmt::format("{}: lists none of the positions in {}; is it of this acquisition?", file, input));
  else if (!missing.empty() && !request.stitch.allow_missing)
    throw Error(
        fmt::format("{}: has no stack at {}{}, which {} lists; restore it, or use --allow-missing-tiles "
                    "if there is none",
                    input, text(missing.front()), more(missing.size()), file));
  else if (!unknown.empty())
    session.warn(fmt::format("{}: does not list the stack at {}{} in {}", file, text(unknown.front()),
                             more(unknown.size()), input));
}

void check_frame_size(Session& session, const TileAccess& access, const ScanMetadata& metadata,
                      const fs::path& first) {
  if (metadata.camera_columns == 0) return;
  const StackOpener opener(session, access.plugins, access.stack);
  StackInfo info;
  try {
    info = opener.open_stored(first, StackChecks::none)->info();
  } catch (const Cancelled&) {
    throw;
  } catch (const Error&) {
    return;  // said in its time
  }
  if (info.columns != metadata.camera_columns && info.rows != metadata.camera_columns)
    session.warn(fmt::format(
        "{}: says that the camera has {} pixels in a row, but frames of {} have {} rows of {}",
        metadata.file.string(), metadata.camera_columns, first.string(), info.rows, info.columns));
}

void check_sizes(Session& session, const StitchRequest& request, const ScanMetadata& metadata) {
  const auto compare = [&](const char* option, double given, double noted) {
    if (std::abs(given / noted - 1) > 0.01)
      session.warn(fmt::format("{}: says {} um where --{} is {}, which is taken", metadata.file.string(),
                               noted, option, given));
  };
  compare("x-step-size", request.scan.x_step_um, metadata.x_step_um);
  compare("y-voxel-size", request.scan.y_voxel_um, metadata.y_voxel_um);
}

}  // namespace

std::optional<fs::path> find_metadata(const std::string& channel) {
  fs::path folder = fs::absolute(channel).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  for (const fs::path& file : {folder / "metadata.txt", folder.parent_path() / "metadata.txt"}) {
    std::error_code error;
    // A link that leads nowhere is no sign that there is nothing to know.
    if (fs::exists(fs::symlink_status(file, error))) return file;
  }
  return std::nullopt;
}

ScanMetadata read_metadata(const fs::path& file) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (error || bytes > kMostBytes)
    throw Error(fmt::format("{}: is no text file of at most {}; {}", file.string(),
                            format_bytes(static_cast<std::int64_t>(kMostBytes)), kRemedy));
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream)
    throw Error(fmt::format("{}: cannot be read; make it readable, or move it away", file.string()));
  return MetadataParser(file, text).parse();
}

std::optional<ScanMetadata> complete_from_metadata(CommandLine& line,
                                                   const std::vector<std::string>& channels) {
  const auto file = find_metadata(channels.front());
  if (!file) return std::nullopt;
  ScanMetadata metadata = read_metadata(*file);
  for (const std::string& channel : channels) {
    const auto other = find_metadata(channel);
    if (!other || *other == *file) continue;
    const ScanMetadata its = read_metadata(*other);
    if (its.x_step_um != metadata.x_step_um || its.y_voxel_um != metadata.y_voxel_um ||
        its.negative_y != metadata.negative_y)
      throw Error(
          fmt::format("{}: says something else than {}; stitch channels that were scanned differently in "
                      "calls of their own",
                      other->string(), file->string()));
  }
  const std::string origin = file->string();
  line.complete("x-step-size", format_number(metadata.x_step_um), origin);
  line.complete("y-voxel-size", format_number(metadata.y_voxel_um), origin);
  if (metadata.negative_y) line.complete("negative-y", "true", origin);
  return metadata;
}

void check_metadata(Session& session, const StitchRequest& request, const ScanMetadata& metadata) {
  check_sizes(session, request, metadata);
  const TileAccess access = plain_access(request);
  const TileFolder folder(session, access);
  check_positions(session, request, metadata, folder.paths());
  check_frame_size(session, access, metadata, folder.paths().front().path);
}

}  // namespace spim::cli
