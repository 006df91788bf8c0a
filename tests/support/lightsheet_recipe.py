"""The original's method "lightsheet", stated again from its description with numpy and scipy."""
import numpy as np
from scipy import ndimage


def centres(extent, spacing):
    """As many centres as whole spacings fit, symmetrically; one in the middle of an axis that is too short."""
    if extent < spacing:
        return [extent // 2]
    n = extent // spacing
    first = (extent - (n - 1) * spacing) // 2
    return [first + i * spacing for i in range(n)]


def window(centre, size, extent):
    begin = centre - size // 2
    return slice(max(0, begin), min(extent, begin + size))


def zoom(values, shape):
    """Bilinear, with the corners of `values` on the corners of the result. scipy.ndimage.zoom but for its last row or
    column when rounding puts that outside: scipy has 0 there."""
    grid = np.meshgrid(*[np.linspace(0, n - 1, m) if m > 1 else np.zeros(1) for n, m in zip(values.shape, shape)],
                       indexing="ij", sparse=True)
    return ndimage.map_coordinates(values.astype(float), np.broadcast_arrays(*grid), order=1, mode="nearest")


def estimates(image, artifact_length=150, background_window_size=200, percentile=0.25):
    """What lies along the rows and the background, both of the size of `image`."""
    rows, columns = image.shape
    whole = np.issubdtype(image.dtype, np.integer)
    along = np.stack([np.percentile(image[:, window(c, artifact_length, columns)], 100 * percentile, axis=1)
                      for c in centres(columns, artifact_length)], axis=1)
    along = zoom(along.astype(image.dtype), image.shape)
    if whole:
        along = np.floor(along + 0.5)
    background = np.array([[np.percentile(image[window(y, background_window_size, rows),
                                                window(x, background_window_size, columns)][::2, ::2],
                                          100 * percentile)
                            for x in centres(columns, 25)] for y in centres(rows, 25)], np.float32)
    return along.astype(np.float32), zoom(background, image.shape).astype(np.float32)


def destripe(image, lightsheet_vs_background=2.0, **settings):
    """`image` of uint16 or float32 without stripes, as float32."""
    along, background = estimates(image, **settings)
    most = np.minimum(along, np.float32(lightsheet_vs_background) * background)
    return image.astype(np.float32) - np.minimum(image, most)
