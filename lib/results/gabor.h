#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace basin {

/// A two-dimensional Gabor function: a wave under a Gaussian,
///   g(x, y) = amplitude exp(-u^2 / (2 sigma_u^2) - v^2 / (2 sigma_v^2)) cos(2 pi frequency u + phase),
///   u = (x - centre_x) cos(orientation) + (y - centre_y) sin(orientation), v across it,
/// with x the column and y the row of a pixel.
struct Gabor {
  double centre_x = 0, centre_y = 0;  // pixels, (0, 0) the middle of the first
  double sigma_u = 0, sigma_v = 0;    // pixels, along the wave and along its crests
  double orientation = 0;             // of the wave's direction, radians in [0, pi)
  double frequency = 0;               // cycles a pixel
  double phase = 0;                   // radians in (-pi, pi]
  double amplitude = 0;               // of the values given
  double explained = 0;  // 1 - |t - g|^2 / |t - mean t|^2, at least 0: share of the tile's variance
};

/// The Gabor function nearest to each row of [count, height * width] (any further axes) in least squares; a
/// row of zeros or of one value has none, and explained = 0.
///
/// Amplitude and phase are solved for linearly (cosine and sine part), the other six by Levenberg and
/// Marquardt steps on what remains, from the best start of each of 8 orientations on a grid of centres,
/// frequencies and widths. An edge, the derivative of a Gaussian, is the limit of frequency 0 and a large
/// amplitude. Bounds: centre at most a quarter of a side
/// outside, 0.4 pixels <= sigma <= the longer side, frequency <= 0.7. 256 tiles of 12 x 12 take about a
/// second. Throws Error when rows have another size than height x width, a side is beyond 64, or a number is
/// not finite.
/// Reference: Jones, Palmer 1987, "An evaluation of the two-dimensional Gabor filter model"; Golub, Pereyra
/// 1973 and Kaufman 1975 (variable projection).
std::vector<Gabor> fit_gabors(const Tensor& rows, Index height, Index width);

/// Share of the fits that explain at least so much of the variance.
double share_explained(const std::vector<Gabor>& fits, double least);

}  // namespace basin
