#include <fmt/format.h>

#include <filesystem>

#include "command.hpp"
#include "command_line.hpp"
#include "data_size.hpp"
#include "session.hpp"
#include "spim/error.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/simulation.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

/// What the user typed, before it is understood.
struct Typed {
  std::string output;
  std::string channels = "Ex_488_Em_1";
  std::string overlap = "0.1";
  std::string origin = "0,0,0";
  std::string stage_error = "0";
  std::string version = "v1";
  std::string files = "dcimg";
  std::vector<std::string> empty_tiles;
  std::vector<std::string> displaced;
  std::int64_t frame_width = 256;
  std::int64_t frame_height = 256;
  std::int64_t seed = 1;
  bool oriented = false;
  bool backwards = false;
};

constexpr Limits kAnyCount{1, 1e9};

void declare(CommandLine& line, Typed& typed, SimulationSettings& s) {
  line.text({"output,o", "FOLDER", "the acquisition's folder, which is created"}, typed.output);
  line.group("Scan");
  line.text({"channels", "A,B,…", "folders of the channels, named as the microscope does"}, typed.channels);
  line.triple({"tiles", "X,Y,Z", "number of tiles along each axis"}, s.tiles, {1, 1e6});
  line.text(
      {"overlap", "X,Y,Z", "overlap of neighbouring tiles as a fraction of a tile; one number for all axes"},
      typed.overlap);
  line.text({"origin", "X,Y,Z", "nominal position of the first tile, µm"}, typed.origin);
  line.integer({"frame-width", "N", "columns of a frame as stored (rows y after orientation)"},
               typed.frame_width, kAnyCount);
  line.integer({"frame-height", "N", "rows of a frame as stored (depth after orientation)"},
               typed.frame_height, kAnyCount);
  line.integer({"frames", "N", "frames of a tile"}, s.stack.frames, kAnyCount);
  line.number({"y-voxel-size", "UM", "size of a camera voxel, µm"}, s.scan.y_voxel_um, {kAboveZero, 1000});
  line.number({"x-step-size", "UM", "stage step between frames, µm"}, s.scan.x_step_um, {kAboveZero, 1000});
  line.number({"tilt", "DEGREES", "angle between the sheet and the stage"}, s.scan.tilt_degrees, {1, 89});
  line.flag({"negative-x", "", "the stage runs towards smaller x"}, typed.backwards);
  line.flag({"negative-y", "", "the stage's y runs against the rows: the names of the files hold -y"},
            s.negative_y);
  line.group("Specimen");
  line.integer({"seed", "N", "decides everything that is random"}, typed.seed, {0, 9e15});
  line.number({"organ-size", "F", "size of the organ over that of the acquisition; 0: tissue everywhere"},
              s.organ_size, {0, 1000});
  line.number({"scale", "F", "multiplies the size of cells and processes; 1: cells of 5 to 20 µm"}, s.scale,
              {0.01, 1000});
  line.number({"brightness", "F", "multiplies the light"}, s.brightness, {0, 1e6});
  line.number({"repeat", "UM",
               "period with which the content repeats on each axis, a multiple of 80 µm times --scale; "
               "0: never"},
              s.repeat_um, {0, 1e9});
  line.group("Imperfections");
  line.text({"stage-error", "X,Y,Z",
             "largest deviation of a tile from its nominal position, µm; one number for all axes"},
            typed.stage_error);
  line.texts({"displace-tile", "IX,IY,IZ:X,Y,Z", "moves one tile (counted from 0) by so many µm"},
             typed.displaced);
  line.texts({"empty-tile", "IX,IY,IZ", "a tile (counted from 0) that shows nothing"}, typed.empty_tiles);
  line.number({"illumination", "F",
               "how much darker the darkest corner of a frame is than its brightest pixel, 0 to 1"},
              s.illumination, {0, 1});
  line.number({"stripes", "F", "how much darker the darkest stripe is, 0 to 1"}, s.stripes, {0, 1});
  line.number({"offset", "LEVEL", "grey level of the camera without light"}, s.noise.offset, {0, 65535});
  line.number({"read-noise", "LEVEL", "standard deviation of the read noise, grey levels"},
              s.noise.read_noise, {0, 65535});
  line.number(
      {"electrons-per-level", "F", "electrons per grey level, which decide the shot noise; 0: no shot noise"},
      s.noise.electrons_per_level, {0, 1e6});
  line.group("Files");
  line.choice({"dcimg-version", "V", "version of the camera files"}, typed.version,
              {"v1", "v1.5", "v2", "v7"});
  line.choice({"files", "KIND",
               "camera files, or descriptions that the reader \"simulated\" turns into the same frames"},
              typed.files, {"dcimg", "simulated"});
  line.flag({"oriented", "",
             "store frames oriented instead of as the camera does, which --rotate-90 3 --flip-ud "
             "restores"},
            typed.oriented);
}

std::vector<double> numbers(const std::string& option, const std::string& text, std::size_t one_or) {
  const std::vector<std::string> parts = split(text, ',');
  std::vector<double> values;
  try {
    for (const std::string& part : parts) values.push_back(parse_number(part));
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("--{}: {}", option, error.what()));
  }
  if (values.size() == 1 && one_or == 1) values.resize(3, values.front());
  if (values.size() != 3)
    throw UsageError(fmt::format("--{} is \"{}\"; it must be {}three numbers x,y,z", option, text,
                                 one_or == 1 ? "one number or " : ""));
  return values;
}

Vec3 one_or_three(const std::string& option, const std::string& text) {
  const std::vector<double> v = numbers(option, text, 1);
  return {v[0], v[1], v[2]};
}

Vec3 three(const std::string& option, const std::string& text) {
  const std::vector<double> v = numbers(option, text, 3);
  return {v[0], v[1], v[2]};
}

Index3 tile_index(const std::string& option, const std::string& text) {
  try {
    return parse_triple(text);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("--{}: {}", option, error.what()));
  }
}

Displacement displacement(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != 2)
    throw UsageError(
        fmt::format("--displace-tile is \"{}\"; it must be a tile and µm, for example 1,0,0:20,-5,0", text));
  return {tile_index("displace-tile", parts[0]), three("displace-tile", parts[1])};
}

DcimgVersion version_of(const std::string& word) {
  if (word == "v7") return DcimgVersion::v7;
  if (word == "v1.5") return DcimgVersion::v1_5;
  return word == "v2" ? DcimgVersion::v2 : DcimgVersion::v1;
}

void understand(const Typed& typed, SimulationSettings& s) {
  if (typed.output.empty()) throw UsageError("--output is missing; say which folder to create");
  s.seed = static_cast<std::uint64_t>(typed.seed);
  s.channels = split(typed.channels, ',');
  s.overlap = one_or_three("overlap", typed.overlap);
  s.origin_um = three("origin", typed.origin);
  s.stage_error_um = one_or_three("stage-error", typed.stage_error);
  for (const std::string& tile : typed.empty_tiles) s.empty_tiles.push_back(tile_index("empty-tile", tile));
  for (const std::string& tile : typed.displaced) s.displaced.push_back(displacement(tile));
  s.stored = typed.oriented ? StoredFrames::oriented : StoredFrames::as_camera;
  s.stack.rows = typed.oriented ? typed.frame_height : typed.frame_width;
  s.stack.columns = typed.oriented ? typed.frame_width : typed.frame_height;
  s.scan.direction = typed.backwards ? -1 : 1;
  s.version = version_of(typed.version);
  s.files = typed.files == "dcimg" ? SimulatedFiles::dcimg : SimulatedFiles::descriptions;
}

}  // namespace

int run_simulate(const Invocation& call) {
  CommandLine line(
      call.program, "--output FOLDER [options]",
      "Writes an acquisition as the microscope does: CHANNEL/<x>/<x>_<y>/<z>.dcimg and metadata.txt, of "
      "synthetic tissue, with the truth beside it in truth/. The same options give the same pixels.");
  Typed typed;
  SimulationSettings settings;
  CommonOptions common;
  declare(line, typed, settings);
  add_overwrite_option(line, common);
  line.group("Machine");
  line.integer({"n-workers,workers", "N", "threads that compute frames; 0 means one per core"},
               common.workers, {0, 4096});
  add_general_options(line, common);
  if (!line.parse(call.arguments)) return kDone;
  understand(typed, settings);
  plan_simulation(settings);  // refuses the impossible before anything is created
  Session session(common, *call.cancel);
  Publication publication(typed.output, common.overwrite);
  const SimulationReport report =
      simulate(settings, publication.path(), session.executor(), session.progress());
  publication.commit();
  if (!common.silent)
    fmt::print("{}: {} stacks, {} frames, {} of pixels\n", typed.output, report.files, report.frames,
               format_data(report.pixel_bytes));
  return kDone;
}

}  // namespace spim::cli
