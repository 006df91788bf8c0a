// Prints the decomposition low-pass filters of the wavelets named as arguments, one line each, to all digits.
#include <cstdio>
#include <exception>

#include "filters.hpp"

int main(int argc, char** argv) {
  try {
    for (int i = 1; i < argc; ++i) {
      for (const double v : spim::wavelet::decomposition_filter(argv[i])) std::printf("%.17g ", v);
      std::printf("\n");
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
