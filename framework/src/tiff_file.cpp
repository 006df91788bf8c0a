#include "tiff_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "durable.hpp"
#include "words.hpp"

namespace spim::detail {

namespace {

/// libtiff never needs more at once for the images that are read and written here; a damaged file may say so.
constexpr tmsize_t kLargestAllocation = tmsize_t{1} << 32;

}  // namespace

/// What libtiff calls; `handle` is the TiffFile.
struct TiffFile::Calls {
  static TiffFile& of(thandle_t handle) { return *static_cast<TiffFile*>(handle); }

  static tmsize_t read(thandle_t handle, void* data, tmsize_t size) {
    return transfer(handle, size, [&](int file, tmsize_t at) {
      return ::read(file, static_cast<char*>(data) + at, static_cast<std::size_t>(size - at));
    });
  }
  static tmsize_t write(thandle_t handle, void* data, tmsize_t size) {
    return transfer(handle, size, [&](int file, tmsize_t at) {
      return ::write(file, static_cast<const char*>(data) + at, static_cast<std::size_t>(size - at));
    });
  }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    const off_t at = ::lseek(of(handle).descriptor_, static_cast<off_t>(offset), whence);
    if (at < 0) note(handle);
    return static_cast<toff_t>(at);
  }
  static toff_t size(thandle_t handle) {
    struct stat status {};
    if (::fstat(of(handle).descriptor_, &status) != 0) return 0;
    return static_cast<toff_t>(status.st_size);
  }
  static int close(thandle_t) { return 0; }  // the descriptor is closed by its owner
  static int map(thandle_t, void**, toff_t*) { return 0; }
  static void unmap(thandle_t, void*, toff_t) {}

  static int keep_error(TIFF*, void* to, const char* module, const char* format, va_list arguments) {
    static_cast<TiffFile*>(to)->keep(module, format, arguments);
    return 1;
  }
  static int drop_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

 private:
  static void note(thandle_t handle) {
    if (of(handle).system_error_ == 0) of(handle).system_error_ = errno;
  }
  /// Calls `once(file, done)` until all `size` bytes are done, the file ends, or it fails.
  template <class Once>
  static tmsize_t transfer(thandle_t handle, tmsize_t size, const Once& once) {
    tmsize_t done = 0;
    while (done < size) {
      const ssize_t moved = once(of(handle).descriptor_, done);
      if (moved < 0 && errno == EINTR) continue;
      if (moved < 0) {
        note(handle);
        return -1;
      }
      if (moved == 0) break;
      done += moved;
    }
    return done;
  }
};

TiffFile::TiffFile(const std::filesystem::path& path, TiffMode mode, const std::filesystem::path& shown)
    : shown_(shown), mode_(mode) {
  const bool reading = mode == TiffMode::read;
  descriptor_ = reading ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC)
                        : ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw system_failure(shown, reading ? "cannot be opened" : "cannot be created", errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw Error(fmt::format("{} is not a file; give a TIFF image", shown.string()));
  }
  bytes_ = status.st_size;
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 TIFFOpenOptionsFree);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kLargestAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), Calls::keep_error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), Calls::drop_warning, this);
  const char* const letters = reading ? "r" : mode == TiffMode::write ? "w" : "w8";
  tiff_.reset(TIFFClientOpenExt(shown.c_str(), letters, this, Calls::read, Calls::write, Calls::seek,
                                Calls::close, Calls::size, Calls::map, Calls::unmap, options.get()));
  if (!tiff_) {
    ::close(descriptor_);
    throw failure();
  }
}

TiffFile::~TiffFile() {
  tiff_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
}

void TiffFile::finish() {
  check(TIFFFlush(tiff_.get()) == 1);
  tiff_.reset();
  check(complaint_.empty() && system_error_ == 0);
  const int file = descriptor_;
  descriptor_ = -1;
  if (::close(file) != 0) throw system_failure(shown_, "cannot be written", errno);
}

Error TiffFile::failure() const {
  const char* const what = mode_ == TiffMode::read ? "cannot be read" : "cannot be written";
  if (system_error_ != 0) return system_failure(shown_, what, system_error_);
  const char* const remedy = mode_ == TiffMode::read ? "; it is no TIFF file or it is damaged" : "";
  return Error(fmt::format("{} {}: {}{}", shown_.string(), what,
                           complaint_.empty() ? "libtiff gives no reason" : complaint_, remedy));
}

void TiffFile::keep(const char* module, const char* format, va_list arguments) {
  if (!complaint_.empty()) return;
  char text[256] = {};
  std::vsnprintf(text, sizeof text, format, arguments);
  std::string sentence = printable(text);
  while (sentence.ends_with('.') || sentence.ends_with(' ')) sentence.pop_back();
  // The module is often the name of the file, which the message names already.
  const bool useful = module != nullptr && shown_.string() != module;
  complaint_ = useful ? fmt::format("{}: {}", printable(module), sentence) : sentence;
}

}  // namespace spim::detail
