// A plugin whose table has one fault, chosen when it is compiled.
#include "table_items.hpp"

using namespace spim;

namespace {

[[maybe_unused]] constexpr OptionSpec kOptions[] = {
#if defined(FAULT_BAD_DEFAULT)
    integer_option("size", "70", 1, 64, "size of something"),
#elif defined(FAULT_NO_HELP)
    integer_option("size", "7", 1, 64, ""),
#elif defined(FAULT_BAD_LIMITS)
    integer_option("size", "7", 64, 1, "size of something"),
#elif defined(FAULT_DUPLICATE_OPTION)
    text_option("size", "", "size of something"),
    text_option("size", "", "size of something else"),
#else
    integer_option("size", "7", 1, 64, "size of something"),
#endif
};

constexpr ItemSpec sound(const char* id) {
  return implement<Untouched>(id, "does nothing", Concurrency::reentrant, kOptions);
}

[[maybe_unused]] constexpr ItemSpec faulty() {
  ItemSpec item = sound("faulty");
#if defined(FAULT_BAD_ID)
  item.id = "Not A Word";
#elif defined(FAULT_DUPLICATE_ID)
  item.id = "first";
#elif defined(FAULT_NULL_CREATE)
  item.create = nullptr;
#elif defined(FAULT_UNKNOWN_KIND)
  item.kind = static_cast<Kind>(77);
#elif defined(FAULT_NO_PROBE)
  item.kind = Kind::frame_reader;
#elif defined(FAULT_BAD_CONCURRENCY)
  item.concurrency = static_cast<Concurrency>(9);
#elif defined(FAULT_NO_SUMMARY)
  item.summary = "";
#endif
  return item;
}

constexpr ItemSpec kItems[] = {sound("first"), faulty()};

}  // namespace

#if defined(FAULT_NO_ITEMS)
extern "C" __attribute__((visibility("default"), section("spim_manifest")))
const PluginManifest spim_plugin_manifest;
__attribute__((used)) constinit const PluginManifest spim_plugin_manifest = {
    detail::header("bad-table", "1.0", "tests"), kItems, 0};
#else
SPIM_EXPORT_PLUGIN("bad-table", "1.0", "tests", kItems);
#endif
