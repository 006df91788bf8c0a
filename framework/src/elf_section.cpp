#include "elf_section.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <vector>

namespace spim {
namespace {

constexpr std::uint64_t kMostSections = 1 << 20;
constexpr std::uint64_t kMostNameBytes = 64 << 20;

/// One file being parsed: every read is checked against its size.
class ElfFile {
 public:
  ElfFile(const ByteSource& bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (bytes.size() < SELFMAG || (read(0, magic_, SELFMAG), std::memcmp(magic_, ELFMAG, SELFMAG) != 0))
      refuse("is not a shared library; remove it from the plugin folder");
    header_ = get<Elf64_Ehdr>(0, "ELF header");
    check_header();
    read_sections();
  }

  SectionBytes find(std::string_view wanted) const {
    for (const Elf64_Shdr& section : sections_) {
      if (name_of(section) != wanted) continue;
      if (section.sh_type == SHT_NOBITS || section.sh_type == SHT_NULL)
        refuse(fmt::format("has a section {} without bytes; build the plugin again", wanted));
      require(section.sh_offset, section.sh_size, "plugin manifest");
      return {section.sh_offset, section.sh_size};
    }
    refuse("is a shared library but not a spimstitch plugin (it has no section " + std::string(wanted) +
           "); export one with SPIM_EXPORT_PLUGIN, or remove the file from the plugin folder");
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw Error(name_ + " " + what); }

  void require(std::uint64_t offset, std::uint64_t count, const char* what) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset)
      refuse(
          fmt::format("is cut short or damaged: its {} ({} bytes at {}) lies outside its {} bytes; copy or "
                      "build it again",
                      what, count, offset, bytes_.size()));
  }

  void read(std::uint64_t offset, void* to, std::size_t count) const { bytes_.read(offset, to, count); }

  template <class T>
  T get(std::uint64_t offset, const char* what) const {
    require(offset, sizeof(T), what);
    T value;
    read(offset, &value, sizeof value);
    return value;
  }

  void check_header() const {
    const unsigned char* ident = header_.e_ident;
    if (ident[EI_CLASS] != ELFCLASS64) refuse("is not a 64-bit library; build the plugin for x86-64 Linux");
    if (ident[EI_DATA] != ELFDATA2LSB) refuse("is a big-endian library; build the plugin for x86-64 Linux");
    if (header_.e_machine != EM_X86_64)
      refuse(
          fmt::format("is built for another processor (ELF machine {}, x86-64 is {}); build the plugin for "
                      "x86-64 Linux",
                      header_.e_machine, EM_X86_64));
    if (header_.e_type != ET_DYN)
      refuse(
          fmt::format("is not a shared library (ELF type {}, a shared library has {}); link it with -shared",
                      header_.e_type, ET_DYN));
  }

  void read_sections() {
    if (header_.e_shoff == 0) return;
    if (header_.e_shentsize != sizeof(Elf64_Shdr))
      refuse(
          fmt::format("is damaged: its section headers have {} bytes instead of {}; copy or build it again",
                      header_.e_shentsize, sizeof(Elf64_Shdr)));
    // With too many sections for 16 bits, count and index of the names stand in the first section header.
    const auto first = get<Elf64_Shdr>(header_.e_shoff, "section table");
    const std::uint64_t count = header_.e_shnum != 0 ? header_.e_shnum : first.sh_size;
    const std::uint64_t names = header_.e_shstrndx != SHN_XINDEX ? header_.e_shstrndx : first.sh_link;
    if (count > kMostSections)
      refuse(
          fmt::format("is damaged: it says that it has {} sections, the limit is {}; copy or build it again",
                      count, kMostSections));
    require(header_.e_shoff, count * sizeof(Elf64_Shdr), "section table");
    sections_.resize(count);
    if (count > 0) read(header_.e_shoff, sections_.data(), count * sizeof(Elf64_Shdr));
    if (names >= count)
      refuse(
          fmt::format("is damaged: section {} should hold the names of its {} sections; copy or build it "
                      "again",
                      names, count));
    read_names(sections_[names]);
  }

  void read_names(const Elf64_Shdr& section) {
    if (section.sh_type != SHT_STRTAB || section.sh_size > kMostNameBytes)
      refuse("is damaged: its section names are not a table of texts; copy or build it again");
    require(section.sh_offset, section.sh_size, "table of section names");
    section_names_.resize(section.sh_size);
    if (section.sh_size > 0) read(section.sh_offset, section_names_.data(), section.sh_size);
  }

  std::string_view name_of(const Elf64_Shdr& section) const {
    if (section.sh_name >= section_names_.size()) return {};
    const char* begin = section_names_.data() + section.sh_name;
    return {begin, ::strnlen(begin, section_names_.size() - section.sh_name)};
  }

  const ByteSource& bytes_;
  const std::string& name_;
  char magic_[SELFMAG] = {};
  Elf64_Ehdr header_{};
  std::vector<Elf64_Shdr> sections_;
  std::vector<char> section_names_;
};

}  // namespace

SectionBytes find_elf_section(const ByteSource& file, const std::string& name, std::string_view section) {
  return ElfFile(file, name).find(section);
}

}  // namespace spim
