#pragma once
/// Which files a stack is made of, for readers of formats with one file per frame.

#include <string>
#include <string_view>
#include <vector>

namespace spim::reading {

/// Endings of the names of a format's files, lower case with the dot, e.g. {".tif", ".tiff"}.
using Endings = std::vector<std::string_view>;

/// Whether `name` ends in one of `endings`, in upper or lower case.
bool has_ending(std::string_view name, const Endings& endings) noexcept;

/// Whether `a` stands before `b` when numbers in names count as numbers: img_2 before img_10.
bool natural_less(std::string_view a, std::string_view b) noexcept;

/// Whether `path` has a character that a glob expression means something with: * ? [.
bool is_glob(std::string_view path) noexcept;

/// The files of `path`, in natural order: the file itself; those of a folder that end in `endings` and are
/// not hidden; those that a glob expression matches, whatever they end in (a path that exists is taken as it
/// is). Throws Error when there is none.
std::vector<std::string> list_files(std::string_view path, const Endings& endings);

/// Throws Error that names the files on both sides of the first gap: `files`, in natural order, must differ
/// in one number only, and that must run on by the same step. Files without a number in their names, or that
/// differ in more than one number or in their text, have no numbering that could have a gap. A single file
/// has none.
void check_numbering(const std::vector<std::string>& files);

/// How sure a reader should be that `path`, which is a folder or a glob expression, is of its format: what
/// `probe_file` says of the first file, and at most 80; 0 when there is none. Throws nothing.
int probe_list(std::string_view path, const Endings& endings, int (*probe_file)(const char* path)) noexcept;

}  // namespace spim::reading
