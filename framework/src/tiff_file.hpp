#pragma once
/// libtiff on a file descriptor of ours: what went wrong is kept, with the system's reason, and never
/// printed.

#include <tiffio.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "spim/error.hpp"

namespace spim::detail {

enum class TiffMode { read, write, write_big };

/// An open TIFF file. [one thread]
class TiffFile {
 public:
  /// `shown` is the name in messages. Writing replaces the content of `path`. Throws Error.
  TiffFile(const std::filesystem::path& path, TiffMode mode, const std::filesystem::path& shown);
  ~TiffFile();
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* get() const noexcept { return tiff_.get(); }
  /// Length of the file when it was opened.
  std::int64_t bytes() const noexcept { return bytes_; }

  /// Throws the reason of the latest failure unless `good`.
  void check(bool good) const {
    if (!good) throw failure();
  }
  /// Writes what is pending and closes, so that nothing can fail unseen. After writing.
  void finish();

 private:
  struct Calls;
  Error failure() const;
  void keep(const char* module, const char* format, va_list arguments);

  std::filesystem::path shown_;
  TiffMode mode_;
  int descriptor_ = -1;
  std::int64_t bytes_ = 0;
  int system_error_ = 0;   ///< the first errno that a call on the descriptor left
  std::string complaint_;  ///< the first error of libtiff
  std::unique_ptr<TIFF, decltype(&TIFFClose)> tiff_{nullptr, TIFFClose};
};

}  // namespace spim::detail
