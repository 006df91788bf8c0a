#include "run_manifest.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bridged_frames.hpp"
#include "run_facts.hpp"
#include "spim/crc32c.hpp"
#include "version.hpp"

namespace spim::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

ordered_json task_row(const LedgerEntry& entry, const RunOutputs& outputs) {
  ordered_json row{
      {"task", entry.task}, {"seconds", entry.seconds}, {"by", entry.by}, {"bytes", entry.bytes()}};
  if (!entry.notes.empty()) row["notes"] = entry.notes;
  ordered_json& files = row["files"] = ordered_json::array();
  for (const StoredFile& file : entry.files)
    files.push_back({outputs.published_name(file.path), file.sum.bytes, file.sum.crc});
  return row;
}

/// One number for all that the tasks stored, whatever their number and order.
std::uint32_t checksum_of(std::vector<StoredFile> files) {
  std::ranges::sort(files, {}, &StoredFile::path);
  std::uint32_t crc = 0;
  for (const StoredFile& file : files) {
    const std::string line = fmt::format("{} {} {:08x}\n", file.path, file.sum.bytes, file.sum.crc);
    crc = crc32c(std::as_bytes(std::span(line.data(), line.size())), crc);
  }
  return crc;
}

StoredFile stored_file(const ordered_json& row) {
  return {row.at(0).get<std::string>(), {row.at(1).get<std::int64_t>(), row.at(2).get<std::uint32_t>()}};
}

/// [path, bytes, checksum] of each.
ordered_json product_rows(const std::string& products) {
  ordered_json rows = ordered_json::array();
  std::istringstream lines(products);
  std::int64_t bytes = 0;
  std::uint32_t crc = 0;
  for (std::string path; lines >> bytes >> crc && lines.ignore() && std::getline(lines, path);)
    rows.push_back({path, bytes, crc});
  return rows;
}

}  // namespace

fs::path manifest_path(const fs::path& output) {
  const fs::path normal = (output / "").parent_path();  // without separators at the end
  return normal.string() + ".run.json";
}

void save_manifest(const RunManifest& manifest, const fs::path& output) {
  ordered_json document;
  document["spimstitch"] = kVersion;
  document["plan"] = ordered_json::parse(manifest.plan);
  document["layout"] = ordered_json::parse(manifest.layout);
  document["saved"] = ordered_json::parse(manifest.saved);
  document["products"] = product_rows(manifest.products);
  ordered_json tasks = ordered_json::array();
  std::vector<StoredFile> stored;
  std::int64_t bytes = 0;
  for (const std::string& name : manifest.folder.done_tasks()) {
    const auto entry = manifest.folder.entry(name);
    if (!entry)
      throw Error(
          fmt::format("{}: the ledger entry of {} is damaged, so nothing can be said about the files of {}; "
                      "remove the folder",
                      manifest.folder.path().string(), name, output.string()));
    tasks.push_back(task_row(*entry, manifest.outputs));
    for (const StoredFile& file : entry->files) {
      if (fs::path(file.path).is_absolute()) continue;  // illumination and alignment are not in the volume
      stored.push_back({manifest.outputs.published_name(file.path), file.sum});
      bytes += file.sum.bytes;
    }
  }
  document["output"] = {{"files", stored.size()},
                        {"bytes", bytes},
                        {"checksum", fmt::format("{:08x}", checksum_of(std::move(stored)))}};
  ordered_json& others = document["outputs"] = ordered_json::array();
  for (const ExtraOutput& extra : manifest.outputs.extras())
    others.push_back({{"format", extra.writer.id}, {"path", extra.path}});
  document["bad_frames"] = ordered_json::parse(manifest.folder.document(kBadFrames).value_or("[]"));
  document["tasks"] = std::move(tasks);
  add_run_facts(document, manifest.folder);
  replace_text_durably(manifest_path(output),
                       document.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

std::optional<std::string> published_plan(const fs::path& output) {
  std::error_code error;
  if (!fs::exists(output, error)) return std::nullopt;
  std::ifstream stream(manifest_path(output), std::ios::binary);
  if (!stream) return std::nullopt;
  const ordered_json document = ordered_json::parse(stream, nullptr, false);
  if (!document.is_object() || !document.contains("plan")) return std::nullopt;
  return document["plan"].dump();
}

std::string published_fault(const fs::path& output) {
  for (const LedgerEntry& task : load_manifest(output).tasks)
    for (const StoredFile& file : task.files) {
      std::error_code error;
      const auto bytes = fs::file_size(stored_place(output, file.path), error);
      if (error || static_cast<std::int64_t>(bytes) != file.sum.bytes) return file.path;
    }
  return "";
}

StoredManifest load_manifest(const fs::path& output) {
  const fs::path path = manifest_path(output);
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(fmt::format("{} cannot be read; make it readable", path.string()));
  try {
    const ordered_json document = ordered_json::parse(stream);
    StoredManifest manifest;
    manifest.plan = document.at("plan").dump();
    if (const ordered_json& layout = document.at("layout"); !layout.is_null())
      manifest.layout = layout.dump();
    manifest.saved = document.at("saved").dump();
    for (const ordered_json& row : document.at("products")) manifest.products.push_back(stored_file(row));
    for (const ordered_json& row : document.at("tasks")) {
      LedgerEntry& task = manifest.tasks.emplace_back();
      task.task = row.at("task").get<std::string>();
      for (const ordered_json& file : row.at("files")) task.files.push_back(stored_file(file));
    }
    return manifest;
  } catch (const ordered_json::exception& error) {
    throw Error(fmt::format("{} is damaged: {}; without it nothing is known of the volume's files",
                            path.string(), error.what()));
  }
}

}  // namespace spim::cli
