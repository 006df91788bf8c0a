// Has the section of a plugin but exports nothing.
#include "table_items.hpp"

static constexpr spim::ItemSpec kItems[] = {
    spim::implement<Untouched>("untouched", "does nothing", spim::Concurrency::reentrant)};

__attribute__((used, section("spim_manifest"))) static constinit const spim::PluginManifest manifest = {
    spim::detail::header("hidden-symbol", "1.0", "tests"), kItems, 1};
