#include "item_table.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "spim/host/option_table.hpp"
#include "spim/host/registry.hpp"
#include "words.hpp"

namespace spim {
namespace {

std::string item_fault(const ItemSpec& item) {
  const bool reader = item.kind == Kind::frame_reader || item.kind == Kind::volume_reader;
  switch (item.concurrency) {
    case Concurrency::exclusive:
    case Concurrency::reentrant:
    case Concurrency::singleton:
      break;
    default:
      return fmt::format("declares the unknown concurrency {}", static_cast<std::uint32_t>(item.concurrency));
  }
  if (!item.summary || item.summary[0] == '\0') return "has no summary";
  if (!item.create) return "has no create function";
  if (reader && !item.probe) return "is a reader without a probe function";
  if (!reader && item.probe) return "has a probe function but is not a reader";
  return option_table_fault(table_of(item));
}

}  // namespace

std::string item_table_fault(const PluginManifest& manifest) {
  constexpr std::uint64_t kMostItems = 256;
  if (manifest.item_count == 0 || !manifest.items) return "it has no items";
  if (manifest.item_count > kMostItems)
    return fmt::format("it has {} items, the limit is {}", manifest.item_count, kMostItems);
  std::set<std::pair<Kind, std::string>> names;
  for (std::uint64_t i = 0; i < manifest.item_count; ++i) {
    const ItemSpec& item = manifest.items[i];
    const std::string_view kind = kind_word(item.kind);
    if (kind.empty())
      return fmt::format("item {} has the unknown kind {}", i, static_cast<std::uint32_t>(item.kind));
    if (!item.id || !is_word(item.id))
      return fmt::format("item {} has the id '{}', which must be lower-case letters, digits and '-'", i,
                         item.id ? printable(item.id) : "");
    if (!names.emplace(item.kind, item.id).second)
      return fmt::format("there are two items {} {}", kind, item.id);
    if (const std::string fault = item_fault(item); !fault.empty())
      return fmt::format("{} {}: {}", kind, item.id, fault);
  }
  return "";
}

}  // namespace spim
