#define SPIM_WAVELET_KERNELS kernels_v2
#include "kernels.inl"
