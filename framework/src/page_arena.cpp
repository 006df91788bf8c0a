#include "page_arena.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "spim/error.hpp"

namespace spim::detail {

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

PageArena::PageArena(std::int64_t bytes, Pages pages) {
  // A small arena in huge pages would take more memory than it was asked for.
  const bool huge = pages == Pages::huge && static_cast<std::uint64_t>(bytes) >= 4 * kHugePage;
  const std::uint64_t unit = huge ? kHugePage : kPage;
  mapped_ = round_up(static_cast<std::uint64_t>(bytes), kPage) + (huge ? kHugePage : 0);
  void* const p =
      ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    throw Error(fmt::format("the system refuses {} bytes of memory for frames ({}); give a smaller --memory",
                            bytes, std::generic_category().message(errno)));
  mapping_ = p;
  data_ = reinterpret_cast<std::uint8_t*>(round_up(reinterpret_cast<std::uint64_t>(p), unit));
  // A wish: the result does not depend on it. What is left of the last huge page would take a whole one.
  if (huge) ::madvise(data_, static_cast<std::uint64_t>(bytes) / kHugePage * kHugePage, MADV_HUGEPAGE);
}

PageArena::~PageArena() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

PageArena::PageArena(PageArena&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)),
      data_(std::exchange(other.data_, nullptr)) {}

PageArena& PageArena::operator=(PageArena&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_, other.mapped_);
  std::swap(data_, other.data_);
  return *this;
}

void PageArena::release(std::int64_t offset, std::int64_t bytes) const noexcept {
  const std::uint64_t begin = round_up(static_cast<std::uint64_t>(offset), kPage);
  const std::uint64_t end = static_cast<std::uint64_t>(offset + bytes) / kPage * kPage;
  if (end > begin) ::madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

}  // namespace spim::detail
