#pragma once
/// Images that are read one by one: a TIFF file, a folder of them, or the frames of a camera file.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scan_options.hpp"
#include "spim/host/owned_image.hpp"

namespace spim::cli {

/// Rows and columns of an oriented image.
struct ImageShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// [any thread]
class ImageInput {
 public:
  virtual ~ImageInput() = default;
  virtual std::int64_t count() const = 0;
  virtual ImageShape shape(std::int64_t i) const = 0;
  /// For messages.
  virtual std::string name(std::int64_t i) const = 0;
  /// File that image i becomes when the output is called `output`.
  virtual std::filesystem::path output(std::int64_t i, const std::filesystem::path& output) const = 0;
  /// What the output is called when the user does not say.
  virtual std::filesystem::path default_output() const = 0;
  /// Everything that is read.
  virtual std::vector<std::filesystem::path> files() const = 0;
  /// The oriented image, uint8 widened.
  virtual OwnedImage<std::uint16_t> load(std::int64_t i) const = 0;
};

/// Opens `path`, and looks at the header of each image. Throws Error when there is no image, and when one is
/// neither uint8 nor uint16. `opener` outlives the result.
std::unique_ptr<ImageInput> open_images(const std::filesystem::path& path, StackOpener& opener,
                                        const StackOptions& options);

}  // namespace spim::cli
