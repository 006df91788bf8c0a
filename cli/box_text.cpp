#include "box_text.hpp"

#include <fmt/format.h>

#include "spim/error.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

IndexRange parse_range(const std::string& text, std::int64_t extent, std::string_view whole) {
  const std::vector<std::string> sides = split(text, ':');
  if (sides.size() != 2)
    throw UsageError(
        fmt::format("option --box: \"{}\" is not x0:x1,y0:y1,z0:z1, e.g. 0:512,0:512,100:200", whole));
  try {
    return {sides[0].empty() ? 0 : parse_integer(sides[0]),
            sides[1].empty() ? extent : parse_integer(sides[1])};
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("option --box: {}", error.what()));
  }
}

}  // namespace

Box parse_box(std::string_view text, Index3 shape, const std::string& subject) {
  const Box all{{}, shape};
  if (text.empty()) return all;
  const std::vector<std::string> axes = split(text, ',');
  if (axes.size() != 3)
    throw UsageError(
        fmt::format("option --box: \"{}\" is not x0:x1,y0:y1,z0:z1, e.g. 0:512,0:512,100:200", text));
  const IndexRange x = parse_range(axes[0], shape.x, text);
  const IndexRange y = parse_range(axes[1], shape.y, text);
  const IndexRange z = parse_range(axes[2], shape.z, text);
  const Box box{{x.begin, y.begin, z.begin}, {x.end, y.end, z.end}};
  if (box.empty()) throw UsageError(fmt::format("option --box: {} holds no voxels", text));
  if (!contains(all, box))
    throw UsageError(fmt::format("option --box: {} reaches outside {}, which has {} x {} x {} voxels", text,
                                 subject, shape.x, shape.y, shape.z));
  return box;
}

}  // namespace spim::cli
