#pragma once
/// Many TIFF files of one command.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "spim/image.hpp"

namespace spim::cli {

/// Writes images, each whole or not at all. [any thread]
class TiffOutputs {
 public:
  /// `deflate` is the level, 0 for none.
  TiffOutputs(int deflate, bool overwrite) : deflate_(deflate), overwrite_(overwrite) {}

  /// Before any work: throws Error when one of the `count` names is taken and may not be replaced, or is that
  /// of one of `inputs`.
  void check(std::int64_t count, const std::function<std::string(std::int64_t)>& name,
             const std::vector<std::filesystem::path>& inputs) const;

  /// Creates missing folders. Says in the file what shape it has, as tifffile does.
  void write(const std::filesystem::path& path, ImageView<const std::uint16_t> image) const;

 private:
  int deflate_;
  bool overwrite_;
};

}  // namespace spim::cli
