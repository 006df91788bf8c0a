#!/usr/bin/env python3
"""Makes the starting values of coiflets.cpp (needs numpy and scipy): solves the equations of coiflets.cpp in double
precision by a trust-region method that starts from zero, which leads to the published filters for orders 1 to 6."""
import math

import numpy as np
from scipy.optimize import least_squares


def power(polynomial, exponent):
    result = np.array([1.0])
    for _ in range(exponent):
        result = np.convolve(result, polynomial)
    return result


def solve(order):
    cosine, sine = np.array([1, 2, 1]) / 4, np.array([-1, 2, -1]) / 4  # of half the angle, squared
    taps = 6 * order
    total = np.zeros(2 * order - 1)
    for k in range(order):
        total[order - 1 - k:order + k] += math.comb(order - 1 + k, k) * power(sine, k)
    fixed = np.zeros(taps)
    fixed[1:4 * order] = np.convolve(power(cosine, order), total)
    bump = power(np.convolve(cosine, sine), order)
    free = np.array([np.pad(bump, (i, taps - len(bump) - i)) for i in range(2 * order)])

    def residuals(f):
        h = fixed + f @ free
        return [h[:taps - 2 * m] @ h[2 * m:] - (0.5 if m == 0 else 0) for m in range(taps // 2)]

    def slopes(f):
        h = np.concatenate([np.zeros(taps), fixed + f @ free, np.zeros(taps)])
        return [free @ (h[taps + 2 * m:2 * taps + 2 * m] + h[taps - 2 * m:2 * taps - 2 * m]) for m in range(taps // 2)]

    return least_squares(residuals, np.zeros(2 * order), slopes, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=400).x


if __name__ == "__main__":
    for order in range(1, 7):
        print(f"    {{{', '.join(f'{v:.5g}' for v in solve(order))}}},")
