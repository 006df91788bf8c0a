#pragma once
/// Finds a section of an ELF64 shared library for this kind of machine.

#include <cstdint>
#include <string>
#include <string_view>

#include "spim/host/manifest_file.hpp"

namespace spim {

/// Where the bytes of a section are in its file.
struct SectionBytes {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// The bytes of the first section called `section`, inside the file. Throws Error begun with `name` when the
/// file is not such a library, is cut short, or has no such section.
SectionBytes find_elf_section(const ByteSource& file, const std::string& name, std::string_view section);

}  // namespace spim
