#pragma once
/// The inner loops of the deskew: transposition and interpolation of uint16 rows, with the widest
/// instructions that the machine has. Every variant gives the same bits.

#include <cstddef>
#include <cstdint>

namespace spim::detail {

/// Rows that need not be evenly spaced in memory.
struct RowList {
  const std::uint16_t* const* rows = nullptr;
  std::size_t count = 0;
  std::size_t columns = 0;
  /// Samples from each row to the one that is wanted next and is fetched meanwhile; 0 for none. It need not
  /// exist.
  std::ptrdiff_t ahead = 0;
};

/// out[j·out_stride + i] = rows[i][j] for i < count, j < columns. The stride counts samples and may be
/// negative.
using Transpose = void (*)(const RowList& in, std::uint16_t* out, std::ptrdiff_t out_stride);

/// out[i·out_stride + j] = rows[i][j] + weight·(rows[i+1][j] − rows[i][j]) for i < count, j < columns, in
/// float32, rounded once to a whole grey level (ties to even). There are count + 1 rows; 0 < weight < 1.
using Interpolate = void (*)(const RowList& in, float weight, std::uint16_t* out, std::ptrdiff_t out_stride);

struct DeskewKernels {
  Transpose transpose;
  Interpolate interpolate;
  const char* name;
};

/// For any x86-64-v2 machine.
extern const DeskewKernels kBaselineKernels;
/// For machines with AVX2; not to be called on others.
extern const DeskewKernels kAvx2Kernels;

/// The best of them for this machine.
const DeskewKernels& deskew_kernels() noexcept;

}  // namespace spim::detail
