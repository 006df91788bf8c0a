#include "signature.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace spim::tiff {

int sure_of_head(const unsigned char* head, std::uint64_t head_size) noexcept {
  constexpr std::array<std::array<unsigned char, 4>, 4> kMagics{
      {{'I', 'I', 42, 0}, {'M', 'M', 0, 42}, {'I', 'I', 43, 0}, {'M', 'M', 0, 43}}};
  const auto begins = [&](const auto& magic) {
    return head_size >= magic.size() && std::equal(magic.begin(), magic.end(), head);
  };
  // Camera formats that build on TIFF know more of their own files.
  return std::any_of(kMagics.begin(), kMagics.end(), begins) ? 90 : 0;
}

int sure_of_file(const char* path) noexcept {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return 0;
  std::array<unsigned char, 4> head{};
  const ssize_t got = ::read(file, head.data(), head.size());
  ::close(file);
  return got < 0 ? 0 : sure_of_head(head.data(), static_cast<std::uint64_t>(got));
}

}  // namespace spim::tiff
