#include "spim/host/conformance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <fstream>

#include "conformance_suite.hpp"
#include "file_head.hpp"
#include "spim/host/option_table.hpp"
#include "words.hpp"

namespace spim {
namespace fs = std::filesystem;

ConformanceSuite::ConformanceSuite(const Registry& registry, const Item& item,
                                   const ConformanceSettings& settings,
                                   std::vector<ConformanceCheck>& results)
    : registry_(registry), item_(item), settings_(settings), results_(results) {
  const Selection& given = settings.selections.of(item.spec->kind);
  selection_.id = item.spec->id;
  if (given.id.empty() || given.id == item.spec->id) selection_.options = given.options;
}

void ConformanceSuite::record(const std::string& name, void (*body)(void*), void* context) {
  ConformanceCheck check{fmt::format("{} {}", kind_word(item_.spec->kind), item_.spec->id), name,
                         Outcome::passed, ""};
  settings_.executor->cancel().check();
  if (settings_.started) settings_.started(check);
  try {
    body(context);
  } catch (const Cancelled&) {
    throw;
  } catch (const SkippedCheck& e) {
    check.outcome = Outcome::skipped;
    check.message = e.what();
  } catch (const std::exception& e) {
    check.outcome = Outcome::failed;
    check.message = e.what();
  }
  results_.push_back(std::move(check));
}

fs::path ConformanceSuite::fresh_path(const std::string& name) {
  const ItemSpec& item = *item_.spec;
  for (;;) {
    fs::path path =
        settings_.scratch / fmt::format("{}-{}-{}-{}", kind_word(item.kind), item.id, paths_++, name);
    if (!fs::exists(path)) return path;
  }
}

fs::path ConformanceSuite::write_file(const std::string& name, const std::vector<unsigned char>& bytes) {
  fs::path path = fresh_path(name);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw Error(fmt::format("{} cannot be written; choose another scratch folder", path.string()));
  return path;
}

std::uint64_t scramble(std::uint64_t value) noexcept {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

std::vector<unsigned char> noise_bytes(std::size_t count, std::uint64_t seed) {
  std::vector<unsigned char> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<unsigned char>(scramble(seed + i));
  return bytes;
}

int checked_probe(const ItemSpec& item, const fs::path& path) {
  const std::vector<unsigned char> head = fs::exists(path) ? head_of(path) : std::vector<unsigned char>();
  const int sure = item.probe(path.c_str(), head.data(), head.size());
  if (sure < 0 || sure > 100)
    throw Error(fmt::format("probe answers {} for {}; the limits are 0 and 100", sure, path.string()));
  return sure;
}

void require_sample(ConformanceSuite& suite) {
  const fs::path& sample = suite.settings().sample;
  if (sample.empty()) throw SkippedCheck("no sample was given; give one with --sample");
  if (checked_probe(*suite.item().spec, sample) > 0) return;
  // Formats that nothing tells apart are read only when asked for by name: a sample that no reader claims is
  // theirs.
  for (const Kind kind : {Kind::frame_reader, Kind::volume_reader})
    for (const Item& other : suite.registry().items(kind))
      if (other.plugin == suite.item().plugin && checked_probe(*other.spec, sample) > 0)
        throw SkippedCheck(fmt::format("the sample is one of {} {}", kind_word(kind), other.spec->id));
}

namespace {

/// Creates the item once for each choice of each option; what it throws must be an exception that the host
/// can translate.
void check_options(ConformanceSuite& suite) {
  const ItemSpec& item = *suite.item().spec;
  suite.check("completes its own option table",
              [&] { (void)complete_options(table_of(item), suite.selection().options, item.id); });
  const bool reader = item.probe != nullptr;
  if (reader) return;  // they open files when they are created
  suite.check("takes or refuses each of its choices in words", [&] {
    for (const OptionSpec& option : table_of(item)) {
      std::vector<std::string> values = split(option.choices, '|');
      if (option.type == OptionType::boolean) values = {"false", "true"};
      for (const std::string& value : values) {
        Selection selection = suite.selection();
        selection.options[option.name] = value;
        try {
          if (item.kind == Kind::volume_writer)
            (void)create_writer(suite.registry(), suite.host(), selection, suite.fresh_path("unused"));
          else if (item.kind == Kind::destriper)
            (void)create_destriper(suite.registry(), suite.host(), selection);
          else
            (void)create_aligner(suite.registry(), suite.host(), selection);
        } catch (const UsageError&) {
          continue;
        }
      }
    }
  });
}

void check_item(ConformanceSuite& suite) {
  check_options(suite);
  switch (suite.item().spec->kind) {
    case Kind::frame_reader:
      return check_frame_reader(suite);
    case Kind::volume_reader:
      return check_volume_reader(suite);
    case Kind::volume_writer:
      return check_volume_writer(suite);
    case Kind::destriper:
      return check_destriper(suite);
    case Kind::aligner:
      return check_aligner(suite);
  }
}

}  // namespace

std::vector<ConformanceCheck> check_plugin(const Registry& registry, const PluginRecord& plugin,
                                           const ConformanceSettings& settings) {
  if (!fs::is_directory(settings.scratch))
    throw Error(fmt::format("scratch folder {} does not exist; create it", settings.scratch.string()));
  std::vector<ConformanceCheck> results;
  for (const Kind kind : kAllKinds)
    for (const Item& item : registry.items(kind)) {
      if (item.plugin != &plugin) continue;
      ConformanceSuite suite(registry, item, settings, results);
      check_item(suite);
    }
  return results;
}

}  // namespace spim
