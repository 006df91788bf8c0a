#pragma once
/// The interface of a destriping method.

#include "spim/host.hpp"
#include "spim/image.hpp"
#include "spim/plugin_kind.hpp"

namespace spim {

/// Removes stripes from frames. Created with (Host&, const Options&).
class Destriper {
 public:
  static constexpr Kind kKind = Kind::destriper;
  virtual ~Destriper() = default;

  /// Replaces `frame` (rows y, columns x_cam, oriented, float32 grey levels) by the destriped one, in place
  /// and not rounded. Frames of one instance all have the same shape. [one thread per instance, or any if
  /// declared reentrant]
  virtual void apply(ImageView<float> frame) = 0;
};

}  // namespace spim
