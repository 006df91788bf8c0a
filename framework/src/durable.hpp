#pragma once
/// What the operating system has to do for an output to survive a power cut, and words for when it cannot.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "spim/error.hpp"

namespace spim::detail {

/// An Error about `path`: what could not be done, why (`code` is an errno), and what the user can do.
Error system_failure(const std::filesystem::path& path, const std::string& what, int code);

/// Forces `path`, a file or a folder with all that is in it, to the disk. Throws Error.
void make_durable(const std::filesystem::path& path);

/// Forces the entries of one folder to the disk. Throws Error.
void sync_folder(const std::filesystem::path& folder);

/// Creates a folder, and those above it, so that they survive a power cut. Those that are there already are
/// fine. Throws Error.
void create_folders_durably(const std::filesystem::path& folder);

/// Forces files, absolute or relative to the folder `root` ("" for `root` itself), to the disk with the
/// entries of all folders between, and the entry of `root` itself. Throws Error.
void make_files_durable(const std::filesystem::path& root, const std::vector<std::string>& files);

/// "HOST-PROCESS-TIME": of this process on this machine now.
std::string process_token();

/// Writes `text` as `file` durably unless there is a file of that name; the first of several processes wins.
/// Throws Error.
void write_new_file(const std::filesystem::path& file, std::string_view text);

/// Writes `text` under a temporary name beside `file`, forces it to the disk and gives it the name. Throws
/// Error; then `file` is as it was.
void replace_file(const std::filesystem::path& file, std::string_view text);

/// Removes what processes of this machine that live no more left unfinished of `target`, or of a file that
/// was to replace it. What cannot be removed stays.
void remove_abandoned(const std::filesystem::path& target) noexcept;

}  // namespace spim::detail
