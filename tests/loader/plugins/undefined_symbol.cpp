// Linked without -z defs: a function is missing when the library is loaded.
#include "table_items.hpp"

extern "C" int function_that_nobody_defines();

struct Calls final : spim::Destriper {
  Calls(spim::Host&, const spim::Options&) {}
  void apply(spim::ImageView<float> frame) override {
    frame.data[0] = static_cast<float>(function_that_nobody_defines());
  }
};

static constexpr spim::ItemSpec kItems[] = {
    spim::implement<Calls>("calls", "calls what is missing", spim::Concurrency::reentrant)};
SPIM_EXPORT_PLUGIN("undefined-symbol", "1.0", "tests", kItems);
