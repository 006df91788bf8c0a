#pragma once
// The smallest implementation that a table can name.
#include "spim/plugin.hpp"

struct Untouched final : spim::Destriper {
  Untouched(spim::Host&, const spim::Options&) {}
  void apply(spim::ImageView<float>) override {}
};
