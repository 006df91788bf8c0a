#define SPIM_WAVELET_KERNELS kernels_v3
#include "kernels.inl"
