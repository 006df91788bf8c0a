#pragma once
/// Numbers for people.

#include <concepts>
#include <string>

namespace spim::dcimg_reader {

/// `value`, not negative, with a comma before every three digits: 3,145,728.
template <std::integral T>
std::string grouped(T value) {
  std::string backwards;
  for (int digits = 0; digits == 0 || value > 0; ++digits, value /= 10) {
    if (digits > 0 && digits % 3 == 0) backwards.push_back(',');
    backwards.push_back(static_cast<char>('0' + value % 10));
  }
  return {backwards.rbegin(), backwards.rend()};
}

}  // namespace spim::dcimg_reader
