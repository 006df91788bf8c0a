#include "recipe.hpp"

#include <fmt/format.h>

#include "spim/host/instances.hpp"

namespace spim {
namespace {

Recipe recipe_of(const Item& item, Host& host, const Selection& selection,
                 const std::filesystem::path& path) {
  const ItemSpec& spec = *item.spec;
  const std::string owner = fmt::format("{} {}", kind_word(spec.kind), spec.id);
  Recipe recipe;
  recipe.item = item;
  recipe.host = &host;
  recipe.options =
      std::make_shared<const CompletedOptions>(complete_options(table_of(spec), selection.options, owner));
  // A writer's path is a temporary name, which means nothing to the user.
  const bool reads = spec.kind == Kind::frame_reader || spec.kind == Kind::volume_reader;
  recipe.origin = {spec.kind, spec.id, item.plugin->name, item.plugin->version, reads ? path.string() : "",
                   &host};
  recipe.path = path.string();
  if (!recipe.item.gate) recipe.item.gate = std::make_shared<std::mutex>();
  return recipe;
}

}  // namespace

Recipe make_recipe(const Registry& registry, Host& host, Kind kind, const Selection& selection,
                   const std::filesystem::path& path) {
  return recipe_of(registry.find(kind, selection.id), host, selection, path);
}

Recipe make_reader_recipe(const Registry& registry, Host& host, Kind kind, const Selection& selection,
                          const std::filesystem::path& path) {
  if (!selection.id.empty()) return make_recipe(registry, host, kind, selection, path);
  return recipe_of(probe_reader(registry, kind, path), host, selection, path);
}

}  // namespace spim
