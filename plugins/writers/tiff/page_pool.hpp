#pragma once
/// Open pages, one for each thread that reads at the same time.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "page_file.hpp"

namespace spim::tiff {

/// Frames are read in pieces, and a compressed page is decoded strip by strip: whoever reads the next piece
/// gets the page with the strip that is decoded already. [any thread]
class PagePool {
 public:
  using Open = std::function<std::unique_ptr<Page>(std::int64_t number)>;

  /// `open` opens page `number`. [any thread]
  explicit PagePool(Open open) : open_(std::move(open)) {}

  /// Calls use(page) for page `number`, which no other thread has at that time.
  template <class Use>
  void with(std::int64_t number, const Use& use) {
    Held held = take(number);
    use(*held.page);
    give_back(std::move(held));  // after a failure the page is closed
  }

 private:
  struct Held {
    std::int64_t number = -1;
    std::unique_ptr<Page> page;
  };

  Held take(std::int64_t number);
  void give_back(Held held);

  Open open_;
  std::mutex mutex_;
  std::vector<Held> idle_;  ///< the one that was used last is at the end
  std::size_t lent_ = 0, most_lent_ = 1;
};

}  // namespace spim::tiff
