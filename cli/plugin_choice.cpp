#include "plugin_choice.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace spim::cli {

namespace {

bool has(const Registry& registry, Kind kind, const std::string& id) {
  return std::ranges::any_of(registry.items(kind), [&](const Item& item) { return item.spec->id == id; });
}

}  // namespace

void PluginChoice::add_reader(CommandLine& line) {
  line.text({"reader", "ID", "reader plugin for the input; without it the one that is surest of it"},
            reader_);
}

void PluginChoice::add_writer(CommandLine& line) {
  line.flag({"ngff", "", "write OME-Zarr (the same as --writer zarr) instead of blockfs"}, ngff_);
  line.text({"writer", "ID", "writer plugin; without it blockfs"}, writer_);
}

void PluginChoice::add_destripe(CommandLine& line) {
  line.text({"destripe,destripe-method", "ID", "destriping plugin to apply to each frame; without it none"},
            destripe_);
}

void PluginChoice::add_general(CommandLine& line) {
  line.group("Plugins");
  line.texts({"set", "KIND.OPTION=VALUE",
              "set an option of the plugin in use, e.g. writer.codec=lz4; see spimstitch plugins show"},
             settings_);
  line.text(
      {"config", "FILE", "read options from this JSON file, e.g. the one saved beside an earlier output"},
      config_);
  line.configuration([this](const std::string& file) {
    const Configuration configuration = load_configuration(file);
    configured_ = configuration.selections;
    return configuration.options;
  });
}

void PluginChoice::want_destripe(const std::string& id, std::string_view option) {
  if (!destripe_.empty() && destripe_ != id)
    throw UsageError(
        fmt::format("{} and --destripe {} contradict each other; give one of them", option, destripe_));
  destripe_ = id;
}

std::string PluginChoice::writer_id() const {
  if (ngff_ && !writer_.empty() && writer_ != "zarr")
    throw UsageError(fmt::format("--ngff and --writer {} contradict each other; give one of them", writer_));
  if (!writer_.empty()) return writer_;
  if (ngff_) return "zarr";
  return configured_.writer.id.empty() ? "blockfs" : configured_.writer.id;
}

void PluginChoice::resolve(Session& session, std::initializer_list<Kind> used) {
  const auto uses = [&](Kind kind) { return std::ranges::find(used, kind) != used.end(); };
  Selections typed;
  for (const std::string& setting : settings_) set_option(typed, setting);
  const bool of_volumes =
      uses(Kind::volume_reader) &&
      (!uses(Kind::frame_reader) || (!has(session.registry(), Kind::frame_reader, reader_) &&
                                     has(session.registry(), Kind::volume_reader, reader_)));
  typed.of(of_volumes ? Kind::volume_reader : Kind::frame_reader).id = reader_;
  if (uses(Kind::volume_writer)) typed.writer.id = writer_id();
  typed.destripe.id = destripe_;
  const Selections chosen = overlay(configured_, typed);
  for (const Kind kind : kAllKinds)
    if (!uses(kind) && (!chosen.of(kind).id.empty() || !chosen.of(kind).options.empty()))
      throw UsageError(fmt::format("this command uses no {}; leave out its options", kind_word(kind)));
  resolved_ = complete(chosen, session.registry());
}

}  // namespace spim::cli
