#include "kernels.hpp"

namespace spim::wavelet {

const Kernels& kernels() {
  static const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return wide ? kernels_v3() : kernels_v2();
}

}  // namespace spim::wavelet
