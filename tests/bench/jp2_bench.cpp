// link: spim_jp2 spim_dcimg
// How far the whole of dcimg2jp2 is from its codec: opj_encode() of the same frames with the same settings
// (reversible wavelet, layers of 30 to 80 dB) on the same number of threads, each with frames of its own.
//
//   spimstitch simulate --output acquisition --frame-width 1024 --frame-height 1024 --frames 200
//   export SPIM_BENCH_CAMERA_FILE=acquisition/Ex_488_Em_1/0/0_0/0.dcimg SPIM_BENCH_FOLDER=/dev/shm
//   build-bench/tests/jp2_bench --benchmark_repetitions=3 --benchmark_enable_random_interleaving=true
//
// SPIM_BENCH_FRAMES frames are used (default 40). The codec alone compresses from memory into memory: reading
// the camera file, writing the files and making them durable must hide behind it.
#include <benchmark/benchmark.h>
#include <openjpeg.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "plugins/readers/dcimg/dcimg.hpp"
#include "plugins/readers/dcimg/dcimg_options.hpp"
#include "spim/host/executor.hpp"
#include "tests/bench/quiet_host.hpp"
#include "tests/support/table_options.hpp"

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

std::string camera_file() {
  const std::string camera = environment("SPIM_BENCH_CAMERA_FILE", "");
  if (camera.empty()) throw std::runtime_error("SPIM_BENCH_CAMERA_FILE names no camera file");
  return camera;
}

int frame_count() {
  return std::stoi(environment("SPIM_BENCH_FRAMES", "40"));
}

fs::path output_folder() {
  return fs::path(environment("SPIM_BENCH_FOLDER", fs::temp_directory_path().string())) / "jp2-bench";
}

struct Frames {
  OPJ_UINT32 rows = 0, columns = 0;
  std::vector<std::vector<std::uint16_t>> samples;
};

const Frames& frames() {
  static const Frames all = [] {
    spim::test::QuietHost host;
    const spim::test::TableOptions options(spim::kDcimgOptions);
    spim::DcimgReader reader(host, options.options(), camera_file());
    const spim::StackInfo info = reader.info();
    Frames result{static_cast<OPJ_UINT32>(info.rows), static_cast<OPJ_UINT32>(info.columns), {}};
    for (int k = 0; k < std::min<std::int64_t>(frame_count(), info.frames); ++k) {
      result.samples.emplace_back(static_cast<std::size_t>(info.rows * info.columns));
      reader.read(k, 0, {result.samples.back().data(), info.rows, info.columns, info.columns});
    }
    return result;
  }();
  return all;
}

/// Where the library writes to.
struct Memory {
  std::vector<unsigned char> bytes;
  std::size_t at = 0;
};

OPJ_SIZE_T store(void* from, OPJ_SIZE_T size, void* user) {
  auto& memory = *static_cast<Memory*>(user);
  memory.bytes.resize(std::max(memory.bytes.size(), memory.at + size));
  std::memcpy(memory.bytes.data() + memory.at, from, size);
  memory.at += size;
  return size;
}

OPJ_OFF_T skip(OPJ_OFF_T size, void* user) {
  static_cast<Memory*>(user)->at += static_cast<std::size_t>(size);
  return size;
}

OPJ_BOOL seek(OPJ_OFF_T to, void* user) {
  static_cast<Memory*>(user)->at = static_cast<std::size_t>(to);
  return OPJ_TRUE;
}

/// One frame by the book: an image of 32-bit samples, opj_encode(), a JP2 file in memory.
std::size_t opj_encode_frame(const Frames& all, const std::vector<std::uint16_t>& samples) {
  const auto parameters = std::make_unique<opj_cparameters_t>();
  opj_set_default_encoder_parameters(parameters.get());
  parameters->cp_fixed_quality = 1;
  parameters->tcp_numlayers = 6;
  for (int i = 0; i < 6; ++i) parameters->tcp_distoratio[i] = static_cast<float>(30 + 10 * i);
  opj_image_cmptparm_t component{};
  component.dx = component.dy = 1;
  component.w = all.columns;
  component.h = all.rows;
  component.prec = 16;
  opj_image_t* image = opj_image_create(1, &component, OPJ_CLRSPC_GRAY);
  image->x1 = all.columns;
  image->y1 = all.rows;
  std::copy(samples.begin(), samples.end(), image->comps[0].data);
  Memory memory;
  opj_codec_t* codec = opj_create_compress(OPJ_CODEC_JP2);
  opj_stream_t* stream = opj_stream_create(1 << 20, OPJ_STREAM_WRITE);
  opj_stream_set_user_data(stream, &memory, nullptr);
  opj_stream_set_write_function(stream, store);
  opj_stream_set_skip_function(stream, skip);
  opj_stream_set_seek_function(stream, seek);
  const bool done = opj_setup_encoder(codec, parameters.get(), image) &&
                    opj_start_compress(codec, image, stream) && opj_encode(codec, stream) &&
                    opj_end_compress(codec, stream);
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  if (!done) throw std::runtime_error("opj_encode failed");
  return memory.bytes.size();
}

void openjpeg_alone(benchmark::State& state) {
  const Frames& all = frames();
  spim::CancelToken cancel;
  const spim::Executor executor(0, cancel);
  for (auto _ : state)
    executor.parallel_for(static_cast<std::int64_t>(all.samples.size()), [&](std::int64_t i, int) {
      benchmark::DoNotOptimize(opj_encode_frame(all, all.samples[static_cast<std::size_t>(i)]));
    });
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(all.samples.size()) * all.rows *
                          all.columns * 2);
}
BENCHMARK(openjpeg_alone)->UseRealTime()->Unit(benchmark::kSecond)->Iterations(1);

double children_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void whole_command(benchmark::State& state) {
  const fs::path program = fs::canonical("/proc/self/exe").parent_path().parent_path() / "bin/dcimg2jp2";
  const std::string command = program.string() + " --silent --input '" + camera_file() + "' --stop " +
                              std::to_string(frame_count()) + " --output-pattern '" +
                              (output_folder() / "img_%05d.jp2").string() + "'";
  const double before = children_cpu_seconds();
  for (auto _ : state) {
    state.PauseTiming();
    fs::remove_all(output_folder());
    state.ResumeTiming();
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  }
  state.counters["cpu_s"] = (children_cpu_seconds() - before) / static_cast<double>(state.iterations());
  fs::remove_all(output_folder());
}
BENCHMARK(whole_command)->UseRealTime()->Unit(benchmark::kSecond)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
