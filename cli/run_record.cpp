#include "run_record.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "machine.hpp"
#include "version.hpp"

namespace spim::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr const char* kFolder = "processes";
/// What a process that is killed may lose of its record.
constexpr auto kPeriod = std::chrono::seconds(10);

/// Seconds since 1970.
double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

ordered_json triple(Vec3 v) {
  return ordered_json::array({v.x, v.y, v.z});
}
ordered_json triple(Index3 v) {
  return ordered_json::array({v.x, v.y, v.z});
}

ordered_json stages_json(const std::array<StageTotals, kAllStages.size()>& stages) {
  ordered_json json = ordered_json::object();
  for (const Stage stage : kAllStages) {
    const StageTotals& totals = stages[static_cast<std::size_t>(stage)];
    if (totals.calls == 0 && totals.bytes == 0) continue;
    json[std::string(stage_word(stage))] = {{"cpu_seconds", totals.cpu_seconds},
                                            {"wall_seconds", totals.wall_seconds},
                                            {"bytes", totals.bytes},
                                            {"calls", totals.calls}};
  }
  return json;
}

ordered_json tile_json(const StitchedTile& tile) {
  return {{"file", fs::absolute(tile.path).lexically_normal().string()},
          {"stage_um", triple(tile.stage_um)},
          {"nominal_um", triple(tile.nominal_um)},
          {"first_voxel_um", triple(tile.first_um)},
          {"shape", triple(tile.region.shape)},
          {"frames", tile.region.frames},
          {"rows", tile.region.shape.y},
          {"columns", tile.region.shape.z},
          {"camera_bytes", tile.bytes}};
}

ordered_json volume_json(const VolumeSpec& spec) {
  return {{"shape", triple(spec.shape)},         {"voxel_um", triple(spec.voxel_um)},
          {"origin_um", triple(spec.origin_um)}, {"levels", spec.levels},
          {"chunk", triple(spec.chunk)},         {"bits", 8 * bytes_of(spec.type)}};
}

ordered_json machine_json() {
  const Machine machine = this_machine();
  return {{"host", machine.host},
          {"cpu", machine.cpu},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory_bytes},
          {"kernel", machine.kernel}};
}

ordered_json file_system_json(const fs::path& path) {
  const FileSystem system = file_system_of(path);
  return {{"type", system.type}, {"mount", system.mount}};
}

/// Of this process, whatever else it did.
ordered_json resources_json() {
  struct rusage usage {};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return ordered_json::object();
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {{"cpu_seconds", seconds(usage.ru_utime) + seconds(usage.ru_stime)},
          {"peak_memory_bytes", std::int64_t{usage.ru_maxrss} * 1024}};
}

std::array<StageTotals, kAllStages.size()> reading(Session& session) {
  std::array<StageTotals, kAllStages.size()> totals;
  for (const Stage stage : kAllStages) totals[static_cast<std::size_t>(stage)] = session.stages().of(stage);
  return totals;
}

void add(PhaseFact& phase, double seconds, const std::array<StageTotals, kAllStages.size()>& from,
         const std::array<StageTotals, kAllStages.size()>& to) {
  phase.seconds += seconds;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const StageTotals more = to[i] - from[i];
    StageTotals& sum = phase.stages[i];
    sum.cpu_seconds += more.cpu_seconds;
    sum.wall_seconds += more.wall_seconds;
    sum.bytes += more.bytes;
    sum.calls += more.calls;
  }
}

}  // namespace

RunRecord::RunRecord(Session& session, const RunFolder& folder, fs::path input)
    : session_(session),
      input_(std::move(input)),
      output_(folder.path()),
      token_(unique_token()),
      began_(now()),
      warnings_before_(session.notes().warnings().size()) {
  std::error_code error;
  fs::create_directories(folder.path() / kFolder, error);
  file_ = folder.path() / kFolder / (token_ + ".json");
  save();
  thread_ = std::thread([this] { keep_saving(); });
}

RunRecord::~RunRecord() {
  {
    const std::lock_guard lock(mutex_);
    close_phase();
    stopped_ = true;
  }
  stop_.notify_all();
  thread_.join();
  save();
}

void RunRecord::keep_saving() {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kPeriod, [this] { return stopped_; })) {
    lock.unlock();
    save();
    lock.lock();
  }
}

void RunRecord::close_phase() {
  if (phase_.empty()) return;
  add(phases_[phase_], now() - phase_began_, phase_stages_, reading(session_));
  phase_.clear();
}

void RunRecord::enter(std::string_view phase) {
  {
    const std::lock_guard lock(mutex_);
    if (phase_ == phase) return;
    close_phase();
    phase_ = phase;
    phase_began_ = now();
    phase_stages_ = reading(session_);
  }
  save();
}

void RunRecord::set_volume(const VolumeSpec& spec, std::vector<StitchedTile> tiles) {
  const std::lock_guard lock(mutex_);
  volume_ = spec;
  volume_->name = nullptr;  // borrowed
  volume_->channels = nullptr;
  tiles_ = std::move(tiles);
}

void RunRecord::watch(std::shared_ptr<const ClipTally> tally) {
  const std::lock_guard lock(mutex_);
  tally_ = std::move(tally);
}

std::string RunRecord::text() const {
  auto phases = phases_;
  if (!phase_.empty()) add(phases[phase_], now() - phase_began_, phase_stages_, reading(session_));
  ordered_json document{{"by", token_},
                        {"version", kVersion},
                        {"began", began_},
                        {"ended", now()},
                        {"workers", session_.executor().workers()},
                        {"memory_limit_bytes", session_.options().memory()},
                        {"machine", machine_json()}};
  document.update(resources_json());
  document["file_systems"] = {{"input", file_system_json(input_)}, {"output", file_system_json(output_)}};
  ordered_json& all = document["phases"] = ordered_json::object();
  for (const auto& [name, phase] : phases)
    all[name] = {{"seconds", phase.seconds}, {"stages", stages_json(phase.stages)}};
  const ClippedSamples clipped = tally_ ? tally_->clipped() : ClippedSamples{};
  document["clipped"] = {
      {"below", clipped.below}, {"above", clipped.above}, {"samples", tally_ ? tally_->samples() : 0}};
  std::vector<std::string> warnings = session_.notes().warnings();
  warnings.erase(warnings.begin(),
                 warnings.begin() + static_cast<std::ptrdiff_t>(std::min(warnings_before_, warnings.size())));
  document["warnings"] = std::move(warnings);
  ordered_json& gaps = document["dropped_frames"] = ordered_json::array();
  for (const DroppedFrames& gap : session_.notes().dropped())
    gaps.push_back({{"file", fs::absolute(gap.file).lexically_normal().string()},
                    {"frame", gap.frame},
                    {"dropped", gap.dropped}});
  if (volume_) document["volume"] = volume_json(*volume_);
  document["tiles"] = ordered_json::array();
  for (const StitchedTile& tile : tiles_) document["tiles"].push_back(tile_json(tile));
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void RunRecord::save() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    replace_text_durably(file_, text());
  } catch (const std::exception&) {
    // The volume matters more than how long it took.
  }
}

std::vector<std::string> run_records(const RunFolder& folder) {
  std::vector<std::pair<double, std::string>> found;
  std::error_code error;
  for (fs::directory_iterator i(folder.path() / kFolder, error), end; !error && i != end;
       i.increment(error)) {
    if (i->path().extension() != ".json") continue;
    std::ifstream stream(i->path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    const ordered_json document = ordered_json::parse(text, nullptr, false);
    // What a power cut left of a file is no record.
    if (document.is_object() && document.value("began", 0.0) > 0)
      found.emplace_back(document["began"].get<double>(), std::move(text));
  }
  std::ranges::sort(found);
  std::vector<std::string> texts;
  for (auto& [began, text] : found) texts.push_back(std::move(text));
  return texts;
}

}  // namespace spim::cli
