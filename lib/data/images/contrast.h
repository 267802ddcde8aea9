#pragma once

#include "tensor/tensor.h"

namespace basin {

struct LocalContrastOptions {
  Index window = 9;        // side of the Gaussian window in pixels, odd
  double deviation = 0.0;  // of the Gaussian in pixels; 0 = window / 4
};

/// Subtractive and divisive local contrast normalisation of an image [H, W] (f32 on the host):
///   v = x - sum_pq w_pq x_(i+p, j+q),  y = v / max(c, s),  s_ij = sqrt(sum_pq w_pq v_(i+p, j+q)^2),  c =
///     mean of s over the image.
/// The weights w are a Gaussian over the window that sums to 1; at the border the part of the window inside
/// the image is scaled to sum to 1. An image of one colour becomes 0. Throws Error for an even or too small
/// window.
/// Reference: Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, "What is the best multi-stage architecture for
/// object recognition?", section 2 (the layer N; one feature map).
Tensor local_contrast(const Tensor& image, const LocalContrastOptions& options = {});

/// Subtracts from each sample of [N, ...] (f32 on the host) its own mean. In place, as the next.
void remove_means(const Tensor& samples);

/// Divides each sample of [N, ...], whose mean is left alone, by sqrt(variance + floor): contrast
/// normalisation of patches.
/// Reference: Coates, Ng 2012, "Learning feature representations with k-means", section 2.1 (there floor = 10
/// for bytes).
void normalise_contrasts(const Tensor& samples, double floor);

/// The mean over all samples of a sample's own variance.
double mean_variance(const Tensor& samples);

}  // namespace basin
