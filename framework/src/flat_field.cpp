#include "spim/host/flat_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "spim/error.hpp"

namespace spim {

namespace {

bool usable(float sample) noexcept {
  return std::isfinite(sample) && sample > 0;
}

}  // namespace

FlatField::FlatField(std::vector<float> samples, std::int64_t rows, std::int64_t columns, std::string name)
    : samples_(std::move(samples)), rows_(rows), columns_(columns), name_(std::move(name)) {
  if (rows < 1 || columns < 1 || static_cast<std::int64_t>(samples_.size()) / columns != rows ||
      static_cast<std::int64_t>(samples_.size()) % columns != 0)
    throw Error(fmt::format("{}: {} samples are not an image of {} rows x {} columns", name_, samples_.size(),
                            rows, columns));
  const auto bad = std::ranges::find_if_not(samples_, usable);
  if (bad != samples_.end()) {
    const std::int64_t at = bad - samples_.begin();
    throw Error(fmt::format(
        "{}: {} of {} samples are not numbers above 0, the first is {} in row {}, column {}; frames cannot "
        "be divided by it, compute the profile again with a lower --background or repair the image",
        name_, samples_.size() - static_cast<std::size_t>(std::ranges::count_if(samples_, usable)),
        samples_.size(), *bad, at / columns, at % columns));
  }
  const float brightest = *std::ranges::max_element(samples_);
  for (float& sample : samples_) sample /= brightest;
  // A profile that spans more than float32 can tell apart underflows to 0.
  if (!std::ranges::all_of(samples_, usable))
    throw Error(fmt::format("{}: its darkest sample is 0 beside its brightest, {}; repair the image", name_,
                            brightest));
}

}  // namespace spim
