#include "page_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "spim/error.hpp"

namespace spim::tiff {

namespace {

constexpr std::size_t kLargestRequest = std::size_t{1} << 30;
constexpr std::size_t kHeaderBytes = 16;
/// A page of one pixel takes more than this in a file; more pages than fit are a loop or damage.
constexpr std::int64_t kLeastPageBytes = 64;
constexpr std::uint64_t kMostEntries = 4096;

}  // namespace

PageFile::PageFile(std::string path) : path_(std::move(path)) {
  // A pipe would block here for ever without O_NONBLOCK, which means nothing for regular files.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0)
    throw Error(fmt::format("{} cannot be opened: {}; check the path and its permissions", path_,
                            std::strerror(errno)));
  try {
    if (::fstat(descriptor_, &opened_) != 0 || !S_ISREG(opened_.st_mode))
      throw Error(fmt::format("{} is not a regular file; give a TIFF file", path_));
    std::array<char, 4> head{};
    (void)read_bytes(0, head.data(), head.size());
    big_endian_ = head[0] == 'M';
    const bool known_order = (head[0] == 'I' && head[1] == 'I') || (head[0] == 'M' && head[1] == 'M');
    const std::uint64_t version = known_order ? number_at(2, 2) : 0;
    if (version != 42 && version != 43)
      throw Error(fmt::format("{} is no TIFF file, or one that is still being written", path_));
    big_ = version == 43;
    first_ = big_ ? number_at(8, 8) : number_at(4, 4);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

PageFile::~PageFile() {
  ::close(descriptor_);
}

std::size_t PageFile::read_bytes(std::uint64_t at, void* to, std::size_t size) const {
  std::size_t got = 0;
  while (got < size && at + got < static_cast<std::uint64_t>(opened_.st_size)) {
    const ssize_t n = ::pread(descriptor_, static_cast<char*>(to) + got,
                              std::min(size - got, kLargestRequest), static_cast<off_t>(at + got));
    if (n == 0) break;
    if (n > 0)
      got += static_cast<std::size_t>(n);
    else if (errno != EINTR)
      throw Error(fmt::format("{} cannot be read: {}; check the disk or copy the file again", path_,
                              std::strerror(errno)));
  }
  return got;
}

std::uint64_t PageFile::number_at(std::uint64_t at, std::size_t bytes) const {
  std::array<unsigned char, 8> raw{};
  if (read_bytes(at, raw.data(), bytes) < bytes)
    throw Error(fmt::format(
        "{} is cut short: {} bytes, and a directory at byte {}; copy it again, or wait until it is written",
        path_, opened_.st_size, at));
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) number = number << 8 | raw[big_endian_ ? i : bytes - 1 - i];
  return number;
}

std::vector<std::uint64_t> PageFile::places() const {
  std::vector<std::uint64_t> places;
  std::unordered_set<std::uint64_t> seen;
  const auto most = static_cast<std::size_t>(opened_.st_size / kLeastPageBytes + 1);
  const std::uint64_t count_bytes = big_ ? 8 : 2, entry_bytes = big_ ? 20 : 12;
  for (std::uint64_t place = first_; place != 0;) {
    if (!seen.insert(place).second || places.size() >= most)
      throw Error(fmt::format("{} is damaged: its pages go round in circles; copy it again", path_));
    places.push_back(place);
    const std::uint64_t entries = number_at(place, count_bytes);
    if (entries == 0 || entries > kMostEntries)
      throw Error(fmt::format("{} is damaged: page {} has {} tags; copy it again", path_, places.size() - 1,
                              entries));
    place = number_at(place + count_bytes + entries * entry_bytes, big_ ? 8 : 4);
  }
  if (places.empty())
    throw Error(fmt::format("{} has no pages; it is damaged or still being written", path_));
  return places;
}

std::size_t PageFile::read(std::uint64_t place, std::uint64_t at, void* to, std::size_t size) const {
  const std::size_t got = read_bytes(at, to, size);
  if (at >= kHeaderBytes) return got;
  // The place of the first directory, in the file's own order.
  const std::size_t field = big_ ? 8 : 4;
  for (std::size_t i = 0; i < field; ++i) {
    const std::uint64_t byte_at = field + i;  // 4 … 7, or 8 … 15
    const std::size_t shift = 8 * (big_endian_ ? field - 1 - i : i);
    if (byte_at >= at && byte_at - at < got)
      static_cast<unsigned char*>(to)[byte_at - at] = static_cast<unsigned char>(place >> shift);
  }
  return got;
}

void PageFile::check_unchanged() const {
  struct stat now {};
  if (::fstat(descriptor_, &now) != 0)
    throw Error(fmt::format("{} cannot be examined: {}; check the disk", path_, std::strerror(errno)));
  const auto time = [](const struct stat& s) { return std::pair(s.st_mtim.tv_sec, s.st_mtim.tv_nsec); };
  if (now.st_size != opened_.st_size || time(now) != time(opened_))
    throw Error(fmt::format(
        "{} was changed while it was being read: {} bytes, now {}; wait until nothing writes to it", path_,
        opened_.st_size, now.st_size));
}

}  // namespace spim::tiff
