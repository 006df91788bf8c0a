#pragma once
/// What the suites of the kinds share.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spim/host/conformance.hpp"
#include "spim/host/instances.hpp"
#include "translate.hpp"

namespace spim {

/// Thrown by a check that cannot be made.
struct SkippedCheck : Error {
  using Error::Error;
};

/// The checks of one item.
class ConformanceSuite {
 public:
  ConformanceSuite(const Registry& registry, const Item& item, const ConformanceSettings& settings,
                   std::vector<ConformanceCheck>& results);

  const ConformanceSettings& settings() const noexcept { return settings_; }
  const Registry& registry() const noexcept { return registry_; }
  const Item& item() const noexcept { return item_; }
  Host& host() const noexcept { return *settings_.host; }
  /// The item with the options that were given for it.
  const Selection& selection() const noexcept { return selection_; }

  /// Runs `body`, which throws what is wrong, as the check `name`.
  template <class Body>
  void check(const std::string& name, Body&& body) {
    record(
        name, [](void* b) { (*static_cast<std::remove_reference_t<Body>*>(b))(); }, &body);
  }

  /// Fails the check unless `body` throws an Error.
  template <class Body>
  static void expect_refusal(const std::string& what, Body&& body) {
    try {
      std::forward<Body>(body)();
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& e) {
      if (std::string_view(e.what()).find(kForeignException) == std::string_view::npos) return;
      throw;
    }
    throw Error(what + " is accepted; throw an exception");
  }

  /// A path in the scratch folder that does not exist yet.
  std::filesystem::path fresh_path(const std::string& name);
  /// A new file in the scratch folder.
  std::filesystem::path write_file(const std::string& name, const std::vector<unsigned char>& bytes);

 private:
  void record(const std::string& name, void (*body)(void*), void* context);

  const Registry& registry_;
  Item item_;
  const ConformanceSettings& settings_;
  Selection selection_;
  std::vector<ConformanceCheck>& results_;
  int paths_ = 0;
};

/// `count` bytes that look like nothing; the same for the same seed.
std::vector<unsigned char> noise_bytes(std::size_t count, std::uint64_t seed);

/// A number without pattern for each input.
std::uint64_t scramble(std::uint64_t value) noexcept;

/// Fails the check when the probe of a reader answers outside 0 … 100, and returns the answer.
int checked_probe(const ItemSpec& item, const std::filesystem::path& path);

/// Skips the check when there is no sample, or when it is of another reader of the same plugin.
void require_sample(ConformanceSuite& suite);

/// Files that no reader may crash on: missing, empty, noise, an empty folder. `open` opens a path with the
/// reader and reads something if that succeeds: a format without a header may take noise for data.
template <class Open>
void check_hostile_files(ConformanceSuite& suite, Open open) {
  suite.check("refuses a path that does not exist",
              [&] { suite.expect_refusal("a missing path", [&] { open(suite.fresh_path("missing")); }); });
  suite.check("refuses an empty file",
              [&] { suite.expect_refusal("an empty file", [&] { open(suite.write_file("empty", {})); }); });
  suite.check("refuses an empty folder", [&] {
    const auto folder = suite.fresh_path("folder");
    std::filesystem::create_directory(folder);
    suite.expect_refusal("an empty folder", [&] { open(folder); });
  });
  suite.check("survives a file of noise", [&] {
    for (const std::size_t size : {1, 100, 4096, 100000}) {
      try {
        open(suite.write_file("noise", noise_bytes(size, size)));
      } catch (const Cancelled&) {
        throw;
      } catch (const Error&) {
        continue;
      }
    }
  });
  suite.check("probes any path without harm", [&] {
    const ItemSpec& item = *suite.item().spec;
    checked_probe(item, suite.write_file("empty", {}));
    checked_probe(item, suite.write_file("noise", noise_bytes(5000, 1)));
    checked_probe(item, suite.settings().scratch);
    checked_probe(item, suite.fresh_path("missing"));
  });
}

void check_frame_reader(ConformanceSuite& suite);
void check_volume_reader(ConformanceSuite& suite);
void check_volume_writer(ConformanceSuite& suite);
/// A part of check_volume_writer().
void check_volume_parts(ConformanceSuite& suite);
void check_destriper(ConformanceSuite& suite);
void check_aligner(ConformanceSuite& suite);

}  // namespace spim
