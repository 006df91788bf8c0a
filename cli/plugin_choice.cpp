#include "plugin_choice.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace spim::cli {

namespace {

constexpr const char* kDefaultAligner = "pearson";

bool has(const Registry& registry, Kind kind, const std::string& id) {
  return std::ranges::any_of(registry.items(kind), [&](const Item& item) { return item.spec->id == id; });
}

/// An option of a plugin that has a name of its own on the command line.
struct PluginOption {
  const char* names;
  const char* word;
  const char* plugin_name;
  const char* help;
};

/// Of the original programs' destriping.
constexpr PluginOption kMethodOptions[] = {
    {"sigma1,s1", "PIXELS", "sigma1", "wavelet: bandwidth of the foreground's filter, larger filters more"},
    {"sigma2,s2", "PIXELS", "sigma2", "wavelet: bandwidth of the background's filter, 0 for none"},
    {"decomposition-levels,level,l", "N", "level", "wavelet: levels of the decomposition, 0 for all"},
    {"wavelet,w", "NAME", "wavelet", "wavelet: the mother wavelet, e.g. db5"},
    {"threshold,t", "LEVEL", "threshold",
     "wavelet: grey level between background and foreground, -1 for Otsu's"},
    {"crossover,x", "LEVELS", "crossover", "wavelet: grey levels over which background becomes foreground"},
    {"stripe-direction", "WAY", "stripe-direction",
     "how stripes run in the oriented frame: horizontal (along its rows) or vertical"},
    {"artifact-length", "PIXELS", "artifact-length", "lightsheet: length along a stripe of the window"},
    {"background-window-size", "PIXELS", "background-window-size",
     "lightsheet: side of the background's window"},
    {"percentile", "F", "percentile", "lightsheet: quantile of a window that is its background, 0 to 1"},
    {"lightsheet-vs-background", "F", "lightsheet-vs-background",
     "lightsheet: factor of the background when it is compared with the stripe"},
};

constexpr PluginOption kWriterOptions[] = {
    {"zarr-format", "2|3", "zarr-format",
     "write OME-Zarr (as --ngff), in version 2 of Zarr for OME-Zarr 0.4, 3 for 0.5; without it 2"},
    {"shard", "X,Y,Z", "shard",
     "zarr in format 3, precomputed: voxels of a file that holds many chunks; without it a file per chunk"},
};

/// First names of a table's options.
template <std::size_t n>
void append_names(const PluginOption (&table)[n], std::vector<std::string>& names) {
  for (const PluginOption& option : table) {
    const std::string_view all = option.names;
    names.emplace_back(all.substr(0, all.find(',')));
  }
}

}  // namespace

void PluginChoice::add_reader(CommandLine& line) {
  line.text({"reader", "ID", "reader plugin for the input; without it the one that is surest of it"},
            reader_);
}

void PluginChoice::add_writer(CommandLine& line) {
  line_ = &line;
  ngff_ = default_writer_ == "zarr";
  line.flag({"ngff", "",
             "write OME-Zarr (the same as --writer zarr), or with --ngff=false blockfs (the same as --writer "
             "blockfs)"},
            ngff_);
  const std::string help = fmt::format("writer plugin; without it {}", default_writer_);
  line.text({"writer", "ID", help}, writer_);
  for (const PluginOption& option : kWriterOptions)
    line.text({option.names, option.word, option.help}, writer_options_[option.plugin_name]);
}

void PluginChoice::add_destripe(CommandLine& line) {
  line_ = &line;
  line.text({"destripe,destripe-method", "ID",
             "method that removes the stripes of each frame: wavelet, lightsheet or that of another plugin; "
             "none for no destriping. Defaults of its options: spimstitch plugins show destripe/wavelet"},
            destripe_);
  for (const PluginOption& option : kMethodOptions)
    line.text({option.names, option.word, option.help}, destripe_options_[option.plugin_name]);
}

std::vector<std::string> PluginChoice::plugin_option_names() {
  std::vector<std::string> names;
  append_names(kMethodOptions, names);
  append_names(kWriterOptions, names);
  return names;
}

bool PluginChoice::destripe_option_given(const std::string& plugin_name) const {
  const auto found = destripe_options_.find(plugin_name);
  return found != destripe_options_.end() && !found->second.empty();
}

std::string PluginChoice::destripe_id() const {
  const std::string& id = !destripe_.empty()                 ? destripe_
                          : !configured_.destripe.id.empty() ? configured_.destripe.id
                                                             : default_destripe_.id;
  return id == "none" ? std::string() : id;
}

void PluginChoice::choose_destripe(Selections& typed) {
  typed.destripe.id = destripe_id();
  for (const auto& [name, value] : destripe_options_)
    if (!value.empty()) typed.destripe.options[name] = value;
  if (typed.destripe.id.empty()) {
    configured_.destripe = {};
  } else if (typed.destripe.id == default_destripe_.id) {
    for (const auto& option : default_destripe_.options)
      if (!configured_.destripe.options.contains(option.first)) typed.destripe.options.insert(option);
  }
}

void PluginChoice::add_aligner(CommandLine& line) {
  line.text(
      {"aligner", "ID",
       "plugin that compares overlapping tiles; without it pearson, and phase where pearson finds nothing "
       "or nothing confirms it"},
      aligner_);
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

Layer PluginChoice::layer(std::string_view option) const {
  return line_ == nullptr ? Layer::defaults : line_->layer(option);
}

void PluginChoice::want_destripe(const std::string& id, std::string_view option, Layer layer_of_option) {
  const std::string& chosen = destripe_.empty() ? configured_.destripe.id : destripe_;
  const Layer chosen_in = destripe_.empty() ? Layer::configuration : layer("destripe");
  if (!chosen.empty() && chosen_in > layer_of_option) return;
  if (!chosen.empty() && chosen_in == layer_of_option && chosen != id)
    throw UsageError(
        fmt::format("{} and --destripe {} contradict each other; give one of them", option, chosen));
  destripe_ = id;
}

void PluginChoice::want_reader(const std::string& id, std::string_view option) {
  if (!reader_.empty() && reader_ != id)
    throw UsageError(
        fmt::format("{} and --reader {} contradict each other; give one of them", option, reader_));
  reader_ = id;
}

void PluginChoice::set(Kind kind, std::string_view option, std::string_view value) {
  settings_.insert(settings_.begin(), fmt::format("{}.{}={}", kind_word(kind), option, value));
}

bool PluginChoice::aligner_given() const {
  return !aligner_.empty() || !configured_.aligner.id.empty();
}

bool PluginChoice::wants_ngff() const {
  return ngff_ && line_ != nullptr && line_->given("ngff");
}

bool PluginChoice::writer_given() const {
  return wants_ngff() || !writer_.empty() || !configured_.writer.id.empty();
}

std::string PluginChoice::writer_id() const {
  const Layer by_ngff = layer("ngff");
  std::string id = writer_;
  Layer by_id = layer("writer");
  if (id.empty() && layer("zarr-format") != Layer::defaults) {
    id = "zarr";
    by_id = layer("zarr-format");
  }
  if (id.empty()) {
    id = configured_.writer.id;
    by_id = Layer::configuration;
  }
  if (id.empty()) {
    id = default_writer_;
    by_id = Layer::defaults;
  }
  if (by_ngff == Layer::defaults || by_ngff < by_id) return id;
  // Of the same rank, they must not say different things. --ngff=false is content with any other format.
  if (by_ngff == by_id && ngff_ != (id == "zarr") && (ngff_ || id == "zarr"))
    throw UsageError(fmt::format("--ngff{} and --writer {} contradict each other; give one of them",
                                 ngff_ ? "" : "=false", id));
  if (ngff_) return "zarr";
  return id == "zarr" ? "blockfs" : id;
}

void PluginChoice::resolve(Session& session, const std::vector<Kind>& used) {
  const auto uses = [&](Kind kind) { return std::ranges::find(used, kind) != used.end(); };
  Selections typed;
  for (const std::string& setting : settings_) set_option(typed, setting);
  const bool of_volumes =
      uses(Kind::volume_reader) &&
      (!uses(Kind::frame_reader) || (!has(session.registry(), Kind::frame_reader, reader_) &&
                                     has(session.registry(), Kind::volume_reader, reader_)));
  typed.of(of_volumes ? Kind::volume_reader : Kind::frame_reader).id = reader_;
  if (uses(Kind::volume_writer)) typed.writer.id = writer_id();
  for (const auto& [name, value] : writer_options_)
    if (!value.empty()) typed.writer.options[name] = value;
  choose_destripe(typed);
  if (uses(Kind::aligner)) typed.aligner.id = aligner_given() ? aligner_ : kDefaultAligner;
  const Selections chosen = overlay(configured_, typed);
  for (const Kind kind : kAllKinds)
    if (!uses(kind) && (!chosen.of(kind).id.empty() || !chosen.of(kind).options.empty()))
      throw UsageError(fmt::format("this command uses no {}; leave out its options", kind_word(kind)));
  resolved_ = complete(chosen, session.registry());
}

}  // namespace spim::cli
