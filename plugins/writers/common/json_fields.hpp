#pragma once
/// Typed access to the members of a JSON document that somebody else wrote. Every mismatch is an Error that
/// names the file, the member and what was expected. Includes the JSON library: for .cpp files only.

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace spim::chunked {

/// Metadata larger than this is refused rather than parsed.
inline constexpr std::uint64_t kLargestJson = std::uint64_t{16} << 20;

/// A number of voxels or blocks along one axis that no real file exceeds, so that sums of a few stay exact.
inline constexpr std::int64_t kLargestExtent = std::int64_t{1} << 40;

/// An object of a document, with the words that name it in messages.
class JsonFields {
 public:
  /// `subject` is the start of every message, e.g. the path of the file. Keeps references to both.
  JsonFields(const nlohmann::json& object, const std::string& subject);

  bool has(const char* key) const;  ///< present and not null
  /// The member `key`; that it is missing is an error.
  const nlohmann::json& member(const char* key) const;
  /// An integer in [minimum, maximum].
  std::int64_t integer(const char* key, std::int64_t minimum, std::int64_t maximum) const;
  const std::string& text(const char* key) const;
  const nlohmann::json& array(const char* key) const;

  [[noreturn]] void fail(const char* key, std::string_view expected) const;

 private:
  const nlohmann::json& object_;
  const std::string& subject_;
};

/// Parses `text`; anything but one JSON object is an error.
nlohmann::json parse_json_object(std::string_view text, const std::string& subject);

/// `value` as an integer in [minimum, maximum]; false when it is none.
bool get_integer(const nlohmann::json& value, std::int64_t minimum, std::int64_t maximum, std::int64_t& out);

}  // namespace spim::chunked
