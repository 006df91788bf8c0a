#include "openjpeg.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace spim::jp2 {

namespace {

/// What the library does when it is told that reading or writing failed.
constexpr OPJ_SIZE_T kFailed = static_cast<OPJ_SIZE_T>(-1);

}  // namespace

void Complaints::listen(opj_codec_t* codec) {
  opj_set_error_handler(codec, take, this);
  opj_set_warning_handler(codec, take, this);
}

void Complaints::take(const char* message, void* self) noexcept try {
  std::string& first = static_cast<Complaints*>(self)->first_;
  std::string_view text(message);
  const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && (space(text.back()) || text.back() == '.')) text.remove_suffix(1);
  // Markers of later editions of the standard are to be skipped, says the standard.
  if (!first.empty() || text.starts_with("Unknown marker")) return;
  first = text;
} catch (...) {  // no memory for a message: the failure itself is still reported
}

FileStream FileStream::reading(const chunked::File& file, std::int64_t begin, std::int64_t end) {
  return {file, begin, end, true};
}

FileStream FileStream::writing(const chunked::File& file, std::int64_t begin) {
  return {file, begin, 0, false};
}

Stream FileStream::open() {
  // Large enough for a compressed frame in few requests.
  constexpr OPJ_SIZE_T kBufferBytes = 1 << 20;
  Stream stream(opj_stream_create(kBufferBytes, input_ ? OPJ_STREAM_READ : OPJ_STREAM_WRITE));
  if (!stream) return stream;
  opj_stream_set_user_data(stream.get(), this, nullptr);
  if (input_) {
    opj_stream_set_user_data_length(stream.get(), static_cast<OPJ_UINT64>(end_ - begin_));
    opj_stream_set_read_function(stream.get(), read);
  } else {
    opj_stream_set_write_function(stream.get(), write);
  }
  opj_stream_set_skip_function(stream.get(), skip);
  opj_stream_set_seek_function(stream.get(), seek);
  return stream;
}

void FileStream::rethrow() const {
  if (failure_) std::rethrow_exception(failure_);
}

OPJ_SIZE_T FileStream::read(void* to, OPJ_SIZE_T size, void* self) noexcept {
  auto& stream = *static_cast<FileStream*>(self);
  const std::int64_t left = stream.end_ - stream.begin_ - stream.at_;
  if (left <= 0) return kFailed;  // the end, to the library
  const auto count = std::min(size, static_cast<OPJ_SIZE_T>(left));
  try {
    stream.file_->read(static_cast<std::uint64_t>(stream.begin_ + stream.at_),
                       {static_cast<std::byte*>(to), count});
  } catch (...) {
    if (!stream.failure_) stream.failure_ = std::current_exception();
    return kFailed;
  }
  stream.at_ += static_cast<std::int64_t>(count);
  return count;
}

OPJ_SIZE_T FileStream::write(void* from, OPJ_SIZE_T size, void* self) noexcept {
  auto& stream = *static_cast<FileStream*>(self);
  try {
    stream.file_->write(static_cast<std::uint64_t>(stream.begin_ + stream.at_),
                        {static_cast<const std::byte*>(from), size});
  } catch (...) {
    if (!stream.failure_) stream.failure_ = std::current_exception();
    return kFailed;
  }
  stream.at_ += static_cast<std::int64_t>(size);
  stream.most_ = std::max(stream.most_, stream.at_);
  return size;
}

OPJ_OFF_T FileStream::skip(OPJ_OFF_T size, void* self) noexcept {
  auto& stream = *static_cast<FileStream*>(self);
  if (size < 0 || size > INT64_MAX / 2) return -1;
  const std::int64_t left = stream.end_ - stream.begin_ - stream.at_;
  const std::int64_t count =
      stream.input_ ? std::min<std::int64_t>(size, std::max<std::int64_t>(left, 0)) : size;
  if (count == 0 && size > 0) return -1;
  stream.at_ += count;
  return count;
}

OPJ_BOOL FileStream::seek(OPJ_OFF_T to, void* self) noexcept {
  auto& stream = *static_cast<FileStream*>(self);
  if (to < 0 || (stream.input_ && to > stream.end_ - stream.begin_)) return OPJ_FALSE;
  stream.at_ = to;
  return OPJ_TRUE;
}

}  // namespace spim::jp2
