#pragma once
/// The part of a file that probes look at.

#include <filesystem>
#include <vector>

namespace spim {

/// The first 4096 bytes of a file, fewer if it is shorter; nothing for a folder. Of a glob pattern, which
/// names the frames of a stack, the first file that matches is looked at. Throws Error when the path is
/// missing, cannot be read, or is something that could block for ever.
std::vector<unsigned char> head_of(const std::filesystem::path& given);

}  // namespace spim
