#pragma once
/// What a path on disk is.

#include <filesystem>

#include "spim/host/config.hpp"

namespace spim::cli {

/// How sure reader `item` is of `path`, 0 … 100.
int confidence(const Item& item, const std::filesystem::path& path);

/// Whether any reader knows `path`, or `plugins` names one for it.
bool is_recognised(const Registry& registry, const std::filesystem::path& path, const Selections& plugins);

/// Kind::frame_reader or Kind::volume_reader: that of the reader in `plugins` if there is one, otherwise
/// whose readers are surer of `path`. What may be either (a TIFF file of many pages) is what is `preferred`.
/// A path that nobody knows counts as a camera file. Throws Error when it does not exist.
Kind recognise(const Registry& registry, const std::filesystem::path& path, const Selections& plugins,
               Kind preferred = Kind::frame_reader);

}  // namespace spim::cli
