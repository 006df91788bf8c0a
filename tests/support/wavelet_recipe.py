"""What pystripe's wavelet method computes, stated again with PyWavelets, scipy and scikit-image in float64."""
import numpy as np
import pywt
from scipy import fftpack, ndimage
from skimage.filters import threshold_otsu


def without_streaks(image, sigma, level, wavelet):
    """`image` (even sides) with the low frequencies along its rows taken out of the subbands with stripes."""
    coefficients = pywt.wavedec2(np.log1p(image), wavelet, mode="symmetric", level=level or None)
    filtered = coefficients[:1]
    for horizontal, vertical, diagonal in coefficients[1:]:
        width = horizontal.shape[0] * sigma / image.shape[0]
        index = np.arange(horizontal.shape[1])  # of the packed spectrum: DC, re 1, im 1, re 2, …
        notch = 1 - np.exp(-index ** 2 / (2 * width ** 2))
        horizontal = fftpack.irfft(fftpack.rfft(horizontal, axis=1) * notch, axis=1)
        filtered.append((horizontal, vertical, diagonal))
    return np.exp(pywt.waverec2(filtered, wavelet, mode="symmetric")) - 1


def destripe(image, sigma1=128, sigma2=512, level=0, wavelet="db3", crossover=10.0, threshold=-1.0):
    """Float64 grey levels, neither rounded nor clipped."""
    if threshold < 0:
        threshold = threshold_otsu(image)
    rows, columns = image.shape
    image = np.pad(image.astype(float), ((0, rows % 2), (0, columns % 2)), "edge")
    if sigma1 == sigma2:
        result = without_streaks(image, sigma1, level, wavelet)
    else:
        with np.errstate(over="ignore"):
            share = ndimage.gaussian_filter(1 / (1 + np.exp((threshold - image) / crossover)), 1)
        bright = without_streaks(np.maximum(image, threshold), sigma1, level, wavelet) if sigma1 > 0 else image
        dark = without_streaks(np.minimum(image, threshold), sigma2, level, wavelet) if sigma2 > 0 else image
        result = share * bright + (1 - share) * dark
    return result[:rows, :columns]
