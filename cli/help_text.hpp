#pragma once
/// Help pages: paragraphs and two columns, wrapped.

#include <string>
#include <string_view>

namespace spim::cli {

class HelpText {
 public:
  void paragraph(std::string_view text);
  void title(std::string_view text);
  /// One row of two columns.
  void entry(std::string_view left, std::string_view right);
  const std::string& str() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace spim::cli
