// Runs a fuzz target over the files of a folder and over seeded mutations of each, so that the corpus is a
// regression test on every machine, under whatever sanitizers the build has.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  constexpr int kMutations = 300;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fprintf(stderr, "no files in %s\n", argv[1]);
    return 1;
  }
  std::mt19937_64 random(20240229);
  std::size_t runs = 0;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::vector<std::uint8_t> original{std::istreambuf_iterator<char>(in), {}};
    LLVMFuzzerTestOneInput(original.data(), original.size());
    for (int i = 0; i < kMutations; ++i) {
      std::vector<std::uint8_t> bytes = original;
      const auto edits = 1 + random() % 8;
      for (std::uint64_t e = 0; e < edits && !bytes.empty(); ++e) {
        const auto at = random() % bytes.size();
        switch (random() % 4) {
          case 0:
            bytes[at] = static_cast<std::uint8_t>(random());
            break;
          case 1:
            bytes[at] ^= static_cast<std::uint8_t>(1U << (random() % 8));
            break;
          case 2:
            bytes.resize(at);
            break;
          default:
            for (std::size_t k = at; k < std::min(bytes.size(), at + 8); ++k)
              bytes[k] = (random() & 1) ? 0xFF : 0;
        }
      }
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
      ++runs;
    }
    ++runs;
  }
  std::printf("%zu inputs from %zu files\n", runs, files.size());
  return 0;
}
