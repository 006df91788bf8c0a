#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "file_head.hpp"
#include "spim/host/instances.hpp"

namespace spim {
namespace {

std::vector<std::string> ids_of(const std::vector<Item>& items) {
  std::vector<std::string> ids;
  for (const Item& item : items) ids.emplace_back(item.spec->id);
  return ids;
}

}  // namespace

Item probe_reader(const Registry& registry, Kind kind, const std::filesystem::path& path) {
  const std::vector<unsigned char> head = head_of(path);
  const std::vector<Item> readers = registry.items(kind);
  int best = 0;
  std::vector<Item> winners;
  for (const Item& reader : readers) {
    const int sure = std::min(100, reader.spec->probe(path.c_str(), head.data(), head.size()));
    if (sure <= 0 || sure < best) continue;
    if (sure > best) winners.clear();
    best = sure;
    winners.push_back(reader);
  }
  const std::string_view word = kind_word(kind);
  if (winners.empty()) {
    const std::vector<std::string> ids = ids_of(readers);
    throw Error(fmt::format(
        "{} is of a format that no {} knows ({}); choose one with --reader{}", path.string(), word,
        ids.empty() ? "none is installed" : fmt::format("{}", fmt::join(ids, ", ")), registry.refusals()));
  }
  if (winners.size() > 1)
    throw Error(fmt::format("{} may be of several formats ({}, each {} % sure); choose one with --reader{}",
                            path.string(), fmt::join(ids_of(winners), ", "), best, registry.refusals()));
  return winners.front();
}

}  // namespace spim
