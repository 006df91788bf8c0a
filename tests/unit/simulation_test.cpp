// link: spim_dcimg spim_simulated
/// Whole simulated acquisitions: layout, truth, and files that readers understand.

#include "spim/host/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "plugins/readers/dcimg/dcimg.hpp"
#include "plugins/readers/simulated/simulated.hpp"
#include "spim/error.hpp"
#include "support/recording_host.hpp"

namespace {

namespace fs = std::filesystem;
using spim::Index3;
using spim::SimulationSettings;
using spim::TrueTile;
using testing::ElementsAre;
using testing::HasSubstr;

class Simulation : public testing::Test {
 protected:
  Simulation() : folder_(fs::temp_directory_path() / ("spim-simulation-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~Simulation() override { fs::remove_all(folder_); }

  fs::path write(const SimulationSettings& settings, const std::string& name, int workers = 2) {
    const spim::Executor executor(workers, cancel_);
    spim::NoProgress progress;
    spim::simulate(settings, folder_ / name, executor, progress);
    return folder_ / name;
  }

  spim::CancelToken cancel_;
  fs::path folder_;
};

SimulationSettings small() {
  SimulationSettings settings;
  settings.seed = 21;
  settings.stack = {7, 33, 45};
  settings.tiles = {2, 2, 1};
  settings.stage_error_um = {3, 4, 5};
  return settings;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::map<std::string, std::string> all_files(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(root).string()] = bytes_of(entry.path());
  return files;
}

std::vector<std::uint16_t> frame_of(spim::FrameReader& reader, std::int64_t frame) {
  const spim::StackInfo info = reader.info();
  std::vector<std::uint16_t> pixels(static_cast<std::size_t>(info.rows * info.columns));
  reader.read(frame, 0, {pixels.data(), info.rows, info.columns, info.columns});
  return pixels;
}

std::vector<std::uint16_t> frame_of(const spim::StackSimulator& simulator, std::int64_t frame) {
  const spim::StackInfo info = simulator.info();
  std::vector<std::uint16_t> pixels(static_cast<std::size_t>(info.rows * info.columns));
  simulator.read(frame, 0, {pixels.data(), info.rows, info.columns, info.columns});
  return pixels;
}

spim::Options dcimg_options() {
  using spim::OptionType;
  static const spim::OptionValue kValues[] = {{"padding", OptionType::text, false, 0, 0, "end"},
                                              {"restore-pixels", OptionType::boolean, true, 0, 0, "true"},
                                              {"session", OptionType::integer, false, 0, 0, "0"}};
  return {kValues, 3};
}

TEST_F(Simulation, LaysFilesOutAsTheMicroscopeDoes) {
  SimulationSettings settings = small();
  settings.channels = {"Ex_488_Em_1", "Ex_561_Em_2"};
  settings.origin_um = {-100, 20.55, 7};
  settings.overlap = {0.25, 0.5, 0};
  const std::map<std::string, std::string> files = all_files(write(settings, "a"));
  std::vector<std::string> names;
  for (const auto& [name, bytes] : files) names.push_back(name);
  // x: 7 frames of 1.28 µm, three quarters of it apart; y: 33 rows of 1.8 µm, half of it apart.
  EXPECT_THAT(names,
              ElementsAre("Ex_488_Em_1/-1000/-1000_206/70.dcimg", "Ex_488_Em_1/-1000/-1000_503/70.dcimg",
                          "Ex_488_Em_1/-933/-933_206/70.dcimg", "Ex_488_Em_1/-933/-933_503/70.dcimg",
                          "Ex_561_Em_2/-1000/-1000_206/70.dcimg", "Ex_561_Em_2/-1000/-1000_503/70.dcimg",
                          "Ex_561_Em_2/-933/-933_206/70.dcimg", "Ex_561_Em_2/-933/-933_503/70.dcimg",
                          "metadata.txt", "truth/illumination.tif", "truth/truth.json"));
  EXPECT_NE(files.at("Ex_488_Em_1/-1000/-1000_206/70.dcimg"),
            files.at("Ex_561_Em_2/-1000/-1000_206/70.dcimg"));
}

TEST_F(Simulation, WritesTheSameBytesWhateverTheNumberOfWorkers) {
  const auto one = all_files(write(small(), "one", 1)), three = all_files(write(small(), "three", 3));
  EXPECT_TRUE(one == three);
  SimulationSettings other = small();
  other.seed = 22;
  EXPECT_FALSE(one == all_files(write(other, "other")));
}

TEST_F(Simulation, WritesCameraFilesOfEveryVersionThatHoldTheSimulatedFrames) {
  for (const auto version :
       {spim::DcimgVersion::v7, spim::DcimgVersion::v1, spim::DcimgVersion::v1_5, spim::DcimgVersion::v2}) {
    SimulationSettings settings = small();
    settings.tiles = {1, 1, 1};
    settings.version = version;
    const fs::path root = write(settings, "v" + std::to_string(static_cast<std::uint32_t>(version)));
    const TrueTile tile = spim::read_truth(root).at(0);
    spim::test::RecordingHost host;
    spim::DcimgReader reader(host, dcimg_options(), (root / tile.file).string());
    const spim::StackSimulator simulator(tile.stack);
    ASSERT_EQ(reader.info().frames, 7);
    ASSERT_EQ(reader.info().rows, 45);  // the camera stores depth as rows
    ASSERT_EQ(reader.info().columns, 33);
    for (const std::int64_t k : {0, 3, 6}) EXPECT_EQ(frame_of(reader, k), frame_of(simulator, k)) << k;
  }
}

TEST_F(Simulation, GivesTheSameFramesFromDescriptions) {
  SimulationSettings settings = small();
  settings.tiles = {1, 2, 1};
  settings.files = spim::SimulatedFiles::descriptions;
  const fs::path root = write(settings, "described");
  for (const TrueTile& tile : spim::read_truth(root)) {
    EXPECT_THAT(tile.file, testing::EndsWith(".simulated.json"));
    const std::string path = (root / tile.file).string(), head = bytes_of(path);
    spim::test::RecordingHost host;
    spim::SimulatedReader reader(host, {}, path);
    EXPECT_EQ(frame_of(reader, 5), frame_of(spim::StackSimulator(tile.stack), 5));
    EXPECT_EQ(reader.stamp(5).counter, 5U);
    const auto* bytes = reinterpret_cast<const unsigned char*>(head.data());
    EXPECT_EQ(spim::SimulatedReader::probe(path.c_str(), bytes, head.size()), 100);
  }
  EXPECT_EQ(spim::SimulatedReader::probe("a.json", reinterpret_cast<const unsigned char*>("{\"a\": 1}"), 8),
            0);
  EXPECT_EQ(spim::SimulatedReader::probe("folder", nullptr, 0), 0);
}

TEST_F(Simulation, RefusesDescriptionsThatAreDamaged) {
  const fs::path path = folder_ / "bad.simulated.json";
  const auto message = [&](const std::string& text) -> std::string {
    std::ofstream(path) << text;
    spim::test::RecordingHost host;
    try {
      spim::SimulatedReader reader(host, {}, path.string());
    } catch (const spim::Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message("{"), testing::AllOf(HasSubstr("bad.simulated.json"), HasSubstr("JSON")));
  EXPECT_THAT(message(R"({"format":"simulated-stack","frames":-1,"rows":1,"columns":1})"),
              HasSubstr("frames"));
  EXPECT_THAT(message(std::string(2 << 20, ' ')), HasSubstr("1 MiB"));
  fs::remove(path);
  spim::test::RecordingHost host;
  EXPECT_THROW(spim::SimulatedReader(host, {}, path.string()), spim::Error);
}

TEST_F(Simulation, RemembersTheTruth) {
  SimulationSettings settings = small();
  settings.tiles = {3, 1, 2};
  settings.empty_tiles = {{1, 0, 1}};
  settings.displaced = {{{2, 0, 0}, {100, -50, 25}}};
  const std::vector<TrueTile> planned = spim::plan_simulation(settings);
  const std::vector<TrueTile> read = spim::read_truth(write(settings, "truth"));
  ASSERT_EQ(read.size(), 6U);
  for (std::size_t n = 0; n < read.size(); ++n) {
    EXPECT_EQ(read[n].file, planned[n].file);
    EXPECT_EQ(read[n].nominal_um, planned[n].nominal_um);
    EXPECT_EQ(spim::to_json(read[n].stack), spim::to_json(planned[n].stack));
    spim::Vec3 error = read[n].error_um();
    if (read[n].index == Index3{2, 0, 0}) error = error - spim::Vec3{100, -50, 25};
    EXPECT_LE(std::abs(error.x), 3);
    EXPECT_LE(std::abs(error.y), 4);
    EXPECT_LE(std::abs(error.z), 5);
    EXPECT_NE(error.x, 0);
    EXPECT_EQ(read[n].stack.content == spim::StackContent::nothing, read[n].index == (Index3{1, 0, 1}));
  }
}

TEST_F(Simulation, WritesMetadataAsTheMicroscopesDo) {
  SimulationSettings settings = small();
  settings.tiles = {1, 2, 1};
  settings.origin_um = {4656, -13600, -144.4};
  settings.channels = {"Ex_488_Em_1", "Ex_642_Em_3"};
  EXPECT_EQ(bytes_of(write(settings, "meta") / "metadata.txt"),
            "Obj\tRes\t\xb5m/pix\tX/Z Step (\xb5m)\t\t\r\n"
            "Simulated\t33\t1.8\t1.28\t\t\r\n"
            "Power\tLeft\tRight\t\t\t\r\n"
            "488\t20\t20\t\t\t\r\n"
            "642\t20\t20\t\t\t\r\n"
            "X\tY\tZ\tLaser\tSide\tExposure\r\n"
            "046560\t-136000\t-1444\t1\t0\t2\r\n"
            "046560\t-135465\t-1444\t1\t0\t2\r\n"
            "046560\t-136000\t-1444\t2\t0\t2\r\n"
            "046560\t-135465\t-1444\t2\t0\t2\r\n");
}

TEST_F(Simulation, SavesTheIlluminationProfile) {
  SimulationSettings settings = small();
  settings.illumination = 0.5;
  const fs::path root = write(settings, "light");
  const spim::StackSimulator simulator(spim::read_truth(root).at(0).stack);
  TIFF* tiff = TIFFOpen((root / "truth" / "illumination.tif").c_str(), "r");
  ASSERT_NE(tiff, nullptr);
  std::vector<float> row(45);
  for (std::uint32_t i = 0; i < 33; ++i) {
    ASSERT_EQ(TIFFReadScanline(tiff, row.data(), i), 1);
    for (std::size_t j = 0; j < 45; ++j)
      ASSERT_FLOAT_EQ(row[j], static_cast<float>(simulator.illumination(i, static_cast<double>(j))));
  }
  TIFFClose(tiff);
}

TEST_F(Simulation, MakesOneFrameOfOnePixelAndScansBackwards) {
  SimulationSettings settings;
  settings.stack = {1, 8, 8};
  settings.scan.direction = -1;
  settings.tiles = {3, 1, 1};
  const std::vector<TrueTile> tiles = spim::read_truth(write(settings, "tiny"));
  ASSERT_EQ(tiles.size(), 3U);
  EXPECT_EQ(tiles[0].stack.direction, -1);
}

TEST_F(Simulation, StopsWhenTheUserAsks) {
  cancel_.request();
  EXPECT_THROW(write(small(), "stopped"), spim::Cancelled);
}

TEST_F(Simulation, SaysWhatIsWrongWithImpossibleSettings) {
  const auto message = [](auto change) -> std::string {
    SimulationSettings settings = small();
    change(settings);
    try {
      spim::plan_simulation(settings);
    } catch (const spim::UsageError& error) {
      return error.what();
    }
    return "accepted";
  };
  using S = SimulationSettings;
  EXPECT_THAT(message([](S& s) { s.channels = {}; }), HasSubstr("channel"));
  EXPECT_THAT(message([](S& s) { s.channels = {"a/b"}; }), HasSubstr("\"a/b\""));
  EXPECT_THAT(message([](S& s) { s.channels = {".."}; }), HasSubstr("\"..\""));
  EXPECT_THAT(message([](S& s) { s.channels = {"truth"}; }), HasSubstr("truth"));
  EXPECT_THAT(message([](S& s) { s.channels = {"A", "A"}; }), HasSubstr("twice"));
  EXPECT_THAT(message([](S& s) { s.tiles = {0, 1, 1}; }), HasSubstr("tiles"));
  EXPECT_THAT(message([](S& s) { s.tiles = {1'000'000, 1'000'000, 1'000'000}; }), HasSubstr("1,000,000"));
  EXPECT_THAT(message([](S& s) { s.overlap.x = 1; }), HasSubstr("overlap"));
  EXPECT_THAT(message([](S& s) { s.overlap.y = 0.9999; }), HasSubstr("0.1 µm apart"));
  EXPECT_THAT(message([](S& s) { s.stage_error_um.z = -1; }), HasSubstr("stage error"));
  EXPECT_THAT(message([](S& s) { s.empty_tiles = {{2, 0, 0}}; }), HasSubstr("tile 2,0,0"));
  EXPECT_THAT(message([](S& s) { s.displaced = {{{0, 0, 1}, {}}}; }), HasSubstr("tile 0,0,1"));
  EXPECT_THAT(message([](S& s) { s.stack.frames = 0; }), HasSubstr("frames"));
  EXPECT_THAT(message([](S& s) { s.scan.tilt_degrees = 90; }), HasSubstr("tilt"));
  EXPECT_THAT(message([](S& s) { s.scale = -1; }), HasSubstr("scale"));
  EXPECT_THAT(message([](S& s) { s.organ_size = std::nan(""); }), HasSubstr("organ"));
}

TEST_F(Simulation, SaysWhatIsWrongWithADamagedTruth) {
  const auto message = [&]() -> std::string {
    try {
      spim::read_truth(folder_);
    } catch (const spim::Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message(), HasSubstr("truth.json cannot be opened"));
  fs::create_directories(folder_ / "truth");
  for (const char* text :
       {"", "{", "[]", "{}", R"({"format":"other"})", R"({"format":"spimstitch-truth","format_version":1})",
        R"({"format":"spimstitch-truth","format_version":1,"stacks":[]})",
        R"({"format":"spimstitch-truth","format_version":1,"stacks":[{"channel":3}]})"}) {
    std::ofstream(folder_ / "truth" / "truth.json") << text;
    EXPECT_THAT(message(), HasSubstr("truth.json is damaged")) << text;
  }
}

}  // namespace
