#pragma once
/// OpenJPEG's objects with owners, its messages as errors, its streams on files of ours.

#include <openjpeg.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "common/file.hpp"

namespace spim::jp2 {

struct DestroyImage {
  void operator()(opj_image_t* image) const noexcept { opj_image_destroy(image); }
};
struct DestroyCodec {
  void operator()(opj_codec_t* codec) const noexcept { opj_destroy_codec(codec); }
};
struct DestroyStream {
  void operator()(opj_stream_t* stream) const noexcept { opj_stream_destroy(stream); }
};

using Image = std::unique_ptr<opj_image_t, DestroyImage>;
using Codec = std::unique_ptr<opj_codec_t, DestroyCodec>;
using Stream = std::unique_ptr<opj_stream_t, DestroyStream>;

/// Keeps the first complaint of a codec, which comes by callback: the later ones are consequences.
class Complaints {
 public:
  /// Takes all messages of `codec` from now on; outlives it.
  void listen(opj_codec_t* codec);
  bool any() const noexcept { return !first_.empty(); }
  /// The first message, as part of a sentence.
  std::string text() const { return first_.empty() ? "no reason given" : first_; }

 private:
  static void take(const char* message, void* self) noexcept;
  std::string first_;
};

/// A part of a file as a stream of OpenJPEG. The library is C: an exception must not pass through it, so it
/// is kept and thrown by rethrow() when the library has returned. Not to be moved while a stream is in use.
class FileStream {
 public:
  /// Reads [begin, end).
  static FileStream reading(const chunked::File& file, std::int64_t begin, std::int64_t end);
  /// Writes from `begin` on.
  static FileStream writing(const chunked::File& file, std::int64_t begin);

  /// A stream on this; null when there is no memory.
  Stream open();
  /// Throws what went wrong in the file, if anything did.
  void rethrow() const;
  /// Bytes behind `begin` that were written.
  std::int64_t written() const noexcept { return most_; }

 private:
  FileStream(const chunked::File& file, std::int64_t begin, std::int64_t end, bool input)
      : file_(&file), begin_(begin), end_(end), input_(input) {}
  static OPJ_SIZE_T read(void* to, OPJ_SIZE_T size, void* self) noexcept;
  static OPJ_SIZE_T write(void* from, OPJ_SIZE_T size, void* self) noexcept;
  static OPJ_OFF_T skip(OPJ_OFF_T size, void* self) noexcept;
  static OPJ_BOOL seek(OPJ_OFF_T to, void* self) noexcept;

  const chunked::File* file_;
  std::int64_t begin_, end_;
  bool input_;
  std::int64_t at_ = 0, most_ = 0;  ///< behind begin_
  std::exception_ptr failure_;
};

}  // namespace spim::jp2
