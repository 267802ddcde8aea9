#pragma once

#include "modules/module.h"

namespace basin {

struct LocalContrastOptions {
  Index size = 9;          // of the window, odd
  double deviation = 1.6;  // of its Gaussian, in pixels
  bool divides = true;     // false: the subtractive part alone
  double floor = 1e-4;     // least number that is divided by
};

/// Local contrast normalisation of maps [N, C, H, W], without parameters:
///   v[c,i,j] = x[c,i,j] - sum_{c',p,q} w[p,q] x[c',i+p,j+q]
///   y[c,i,j] = v[c,i,j] / max(floor, mean_ij sigma, sigma[i,j])
///   sigma^2[i,j] = sum_{c',p,q} w[p,q] v^2[c',i+p,j+q]
/// w is a Gaussian window over all maps whose weights inside of the image sum to 1; the mean is of one
/// sample.
///
/// Throws Error unless the size is odd, the deviation and the floor positive, and x of rank 4.
/// Reference: Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, "What is the best multi-stage architecture for
/// object recognition?", section 2; there the window is 9 x 9.
class LocalContrast final : public Module {
 public:
  explicit LocalContrast(LocalContrastOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  bool is_affine() const override { return !options_.divides; }

 private:
  LocalContrastOptions options_;
  Tensor window_;  // [1, 1, size, size], on the host
};

}  // namespace basin
