#pragma once
/// Text and pictures inside HTML and SVG.

#include <string>
#include <string_view>

namespace spim::detail {

/// `text` so that a browser shows it as it is, in content and in quoted attributes. What is not UTF-8 becomes
/// U+FFFD, control characters become spaces.
std::string html_escape(std::string_view text);

/// A data URI of `bytes` (RFC 2397, base64).
std::string data_uri(std::string_view media_type, std::string_view bytes);

}  // namespace spim::detail
