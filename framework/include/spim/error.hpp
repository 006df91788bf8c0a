#pragma once
/// What a plugin and the host throw.

#include <stdexcept>

namespace spim {

/// Something went wrong with the data, a file or the machine. The text is lower case, subject first, then the
/// value and the limit, then the remedy; no full stop. A plugin may throw any std::exception; the host adds
/// the kind, the plugin, its version and the frame or chunk. Commands end with exit code 1.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The request itself cannot be understood or carried out (an unknown option, an impossible value). Thrown by
/// the host and by plugin constructors that check combinations of options. Commands end with exit code 2 when
/// the host throws it.
struct UsageError : Error {
  using Error::Error;
};

}  // namespace spim
