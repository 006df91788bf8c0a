// The manifest is found in well-formed libraries only, and nothing in a damaged one is believed.
#include "spim/host/manifest_file.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "loader/loader_support.hpp"

using namespace spim;
using namespace loader;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

class Bytes final : public ByteSource {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, void* to, std::size_t count) const override {
    ASSERT_LE(offset, bytes_.size());
    ASSERT_LE(count, bytes_.size() - offset);
    std::memcpy(to, bytes_.data() + offset, count);
  }

 private:
  std::string bytes_;
};

class Manifest : public testing::Test {
 protected:
  Manifest() : bytes_(read_file(plugin_file("tester"))) {
    std::memcpy(&header_, bytes_.data(), sizeof header_);
  }

  /// The message about the library with header_ as its ELF header.
  std::string fault() {
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    try {
      (void)read_manifest(Bytes(bytes_), "x.so");
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  std::string bytes_;
  Elf64_Ehdr header_{};
};

}  // namespace

TEST_F(Manifest, is_read_from_the_file) {
  const ManifestText text = read_manifest(plugin_file("tester"));
  EXPECT_EQ(text.name, "tester");
  EXPECT_EQ(text.version, "1.2.3");
  EXPECT_EQ(text.abi, kAbi);
  EXPECT_EQ(text.toolchain, SPIM_TOOLCHAIN);
  EXPECT_EQ(manifest_refusal(text, "x.so"), "");
}

TEST_F(Manifest, is_not_looked_for_in_libraries_of_other_machines) {
  header_.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(fault(), HasSubstr("not a 64-bit library"));
  header_.e_ident[EI_CLASS] = ELFCLASS64;
  header_.e_ident[EI_DATA] = ELFDATA2MSB;
  EXPECT_THAT(fault(), HasSubstr("big-endian"));
  header_.e_ident[EI_DATA] = ELFDATA2LSB;
  header_.e_machine = EM_AARCH64;
  EXPECT_THAT(fault(), HasSubstr("another processor (ELF machine 183, x86-64 is 62)"));
  header_.e_machine = EM_X86_64;
  header_.e_type = ET_EXEC;
  EXPECT_THAT(fault(), HasSubstr("ELF type 2"));
}

TEST_F(Manifest, does_not_believe_absurd_section_tables) {
  const Elf64_Ehdr good = header_;
  header_.e_shoff = ~std::uint64_t{0} - 8;
  EXPECT_THAT(fault(), HasSubstr("its section table"));
  header_ = good;
  header_.e_shnum = 0xFEFF;
  EXPECT_THAT(fault(), HasSubstr("its section table"));
  header_ = good;
  header_.e_shentsize = 1;
  EXPECT_THAT(fault(), HasSubstr("section headers have 1 bytes"));
  header_ = good;
  header_.e_shstrndx = 0xFE00;
  EXPECT_THAT(fault(), HasSubstr("should hold the names"));
  header_ = good;
  header_.e_shoff = 0;
  EXPECT_THAT(fault(), HasSubstr("no section spim_manifest"));
  header_ = good;
  header_.e_shnum = 0;  // then the number stands in the first section header
  Elf64_Shdr first;
  std::memcpy(&first, bytes_.data() + good.e_shoff, sizeof first);
  first.sh_size = std::uint64_t{1} << 58;
  std::memcpy(bytes_.data() + good.e_shoff, &first, sizeof first);
  EXPECT_THAT(fault(), HasSubstr("sections, the limit is"));
}

TEST_F(Manifest, survives_random_damage_to_headers_and_sections) {
  std::mt19937_64 random(7);
  const std::string good = bytes_;
  for (int run = 0; run < 20000; ++run) {
    std::string damaged = good;
    const std::size_t table = header_.e_shoff;
    for (int edit = 0; edit < 4; ++edit) {
      const bool in_table = (random() & 1) != 0;
      const std::size_t at =
          in_table ? table + random() % (good.size() - table) : random() % sizeof(Elf64_Ehdr);
      damaged[at] = static_cast<char>(random());
    }
    try {
      (void)read_manifest(Bytes(std::move(damaged)), "x.so");
    } catch (const Error& e) {
      ASSERT_THAT(e.what(), StartsWith("x.so "));
    }
  }
}
