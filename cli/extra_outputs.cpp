#include "extra_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "spim/error.hpp"
#include "spim/host/name_pattern.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// One --also.
struct Wish {
  std::string format, path;  ///< id of a writer; "" for the usual name
  friend bool operator==(const Wish&, const Wish&) = default;
};

std::vector<Wish> wishes_of(const ExtraOptions& options) {
  std::vector<Wish> wishes;
  for (const std::string& given : options.also)
    for (const std::string& text : split(given, ',')) {
      const std::size_t sign = text.find('=');
      Wish wish{lower(text.substr(0, sign)), sign == std::string::npos ? "" : text.substr(sign + 1)};
      if (wish.format == "ngff") wish.format = "zarr";
      if (wish.format.empty() || (sign != std::string::npos && wish.path.empty()))
        throw UsageError(fmt::format(
            "option --also: \"{}\" is not FORMAT or FORMAT=PATH, e.g. blockfs or tiff=planes/img_%04d.tiff",
            text));
      if (std::ranges::find(wishes, wish) == wishes.end()) wishes.push_back(std::move(wish));
    }
  return wishes;
}

/// The settings of a text that holds several with commas between them; values have commas, too.
std::vector<std::string> single_settings(const std::string& text) {
  std::vector<std::string> settings;
  for (std::string& piece : split(text, ','))
    if (!settings.empty() && piece.find('=') == std::string::npos)
      settings.back() += "," + piece;
    else
      settings.push_back(std::move(piece));
  return settings;
}

/// FORMAT.OPTION=VALUE of all formats.
std::map<std::string, OptionTexts> settings_of(const ExtraOptions& options, const std::vector<Wish>& wishes) {
  std::map<std::string, OptionTexts> settings;
  std::vector<std::string> all;
  for (const std::string& text : options.also_set)
    for (std::string& setting : single_settings(text)) all.push_back(std::move(setting));
  for (const std::string& given : all) {
    const std::size_t dot = given.find('.'), sign = given.find('=');
    if (dot == std::string::npos || sign == std::string::npos || dot == 0 || sign < dot + 2)
      throw UsageError(fmt::format(
          "option --also-set: \"{}\" is not FORMAT.OPTION=VALUE, e.g. precomputed.level=9", given));
    std::string format = lower(given.substr(0, dot));
    if (format == "ngff") format = "zarr";
    if (std::ranges::find(wishes, format, &Wish::format) == wishes.end())
      throw UsageError(fmt::format(
          "option --also-set: \"{}\" is of an output that is not asked for; add --also {}", given, format));
    settings[format][given.substr(dot + 1, sign - dot - 1)] = given.substr(sign + 1);
  }
  return settings;
}

/// Without the ending that says its format.
std::string stem_of(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  for (const std::string_view ending : {".ngff", ".zarr"})
    if (path.ends_with(ending) && path.size() > ending.size())
      return path.substr(0, path.size() - ending.size());
  return path;
}

bool is_plane_format(const std::string& id) {
  return id == "tiff" || id == "jp2";
}

/// True for the name of one file that holds all planes.
bool is_one_file(const std::string& id, const std::string& path) {
  const std::string ending = lower(fs::path(path).extension().string());
  return id == "tiff" && path.find('%') == std::string::npos &&
         (ending == ".tif" || ending == ".tiff" || ending == ".btf");
}

/// Where the planes go: a folder of their own, that is published whole.
void choose_planes(ExtraOutput& output, const std::string& path) {
  output.path = path;
  output.planes = output.writer.id == "jp2" ? "img_%04d.jp2" : "img_%04d.tiff";
  if (path.find('%') == std::string::npos) return;
  const fs::path pattern = path;
  output.path = pattern.parent_path().string();
  output.planes = pattern.filename().string();
  if (output.path.empty() || output.path.find('%') != std::string::npos)
    throw UsageError(
        fmt::format("option --also: {} names no folder for the planes alone; give one such as planes/{}",
                    path, output.planes));
  (void)NamePattern(output.planes);
}

void choose_place(ExtraOutput& output, const Wish& wish, const std::string& first) {
  const std::string stem = stem_of(first);
  const std::string& id = output.writer.id;
  if (is_one_file(id, wish.path))
    output.path = wish.path;
  else if (is_plane_format(id))
    choose_planes(output, wish.path.empty() ? fmt::format("{}_{}", stem, id) : wish.path);
  else if (!wish.path.empty())
    output.path = wish.path;
  else if (id == "blockfs")
    output.path = stem == first ? stem + ".blockfs" : stem;
  else
    output.path = fmt::format("{}.{}", stem, id == "zarr" ? "ngff" : id);
}

}  // namespace

void ExtraOptions::save(Configuration& saved) const {
  if (!also.empty()) saved.options["also"] = fmt::format("{}", fmt::join(also, ","));
  if (!also_set.empty()) saved.options["also-set"] = fmt::format("{}", fmt::join(also_set, ","));
  if (!writes_jp2(*this)) saved.options.erase("psnr");
  if (!keep_stacks) saved.options.erase("keep-stacks");
}

std::string absolute_places(const std::string& also) {
  std::vector<std::string> texts;
  for (const Wish& wish : wishes_of({{also}, {}, "", false}))
    texts.push_back(wish.path.empty()
                        ? wish.format
                        : wish.format + "=" + fs::absolute(wish.path).lexically_normal().string());
  return fmt::format("{}", fmt::join(texts, ","));
}

void add_extra_outputs(CommandLine& line, ExtraOptions& options) {
  line.group("More outputs");
  line.texts(
      {"also", "FORMAT[=PATH]",
       "write the volume in this format as well: blockfs, precomputed, zarr, tiff (planes, or one file "
       "NAME.tif), jp2 "
       "(planes) or that of another writer plugin. Formats that can be written in parts come from the same "
       "pass, the others are made of the finished volume. Without PATH they stand beside the volume: NAME, "
       "NAME.precomputed, NAME_tiff/img_%04d.tiff, NAME_jp2/img_%04d.jp2"},
      options.also);
  line.texts({"also-set", "FORMAT.OPTION=VALUE", "set an option of the writer of such an output"},
             options.also_set);
  line.text(
      {"psnr", "DB[,DB]",
       "peak signal to noise ratios of the quality layers of --also jp2, in decibels; a last one of 0 is "
       "lossless"},
      options.psnr);
  line.flag({"keep-stacks,dont-cleanup-intermediates", "",
             "also keep the deskewed volume of each tile, corrected but not blended, as "
             "CHANNEL_destriped_precomputed/X/X_Y/Z beside the output; this is a second pass over the camera "
             "files"},
            options.keep_stacks);
}

std::vector<ExtraOutput> extra_outputs(const ExtraOptions& options, const Registry& registry,
                                       const std::string& first) {
  const std::vector<Wish> wishes = wishes_of(options);
  const std::map<std::string, OptionTexts> settings = settings_of(options, wishes);
  std::vector<ExtraOutput> outputs;
  std::map<std::string, int> count;
  for (const Wish& wish : wishes) {
    Selections selections;
    selections.writer.id = wish.format;
    if (const auto found = settings.find(wish.format); found != settings.end())
      selections.writer.options = found->second;
    if (wish.format == "jp2") selections.writer.options.try_emplace("psnr", options.psnr);
    ExtraOutput output;
    output.writer = complete(selections, registry).writer;
    const int number = ++count[wish.format];
    output.name = number == 1 ? wish.format : fmt::format("{}-{}", wish.format, number);
    choose_place(output, wish, first);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

bool writes_jp2(const ExtraOptions& options) {
  const std::vector<Wish> wishes = wishes_of(options);
  return std::ranges::find(wishes, "jp2", &Wish::format) != wishes.end();
}

bool names_a_path(const ExtraOptions& options) {
  return std::ranges::any_of(wishes_of(options), [](const Wish& wish) { return !wish.path.empty(); });
}

}  // namespace spim::cli
