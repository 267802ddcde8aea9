#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/host_device.h"
#include "tensor/shape.h"

namespace basin {

/// The t of Nesterov's momentum (t_k - 1) / t_k+1 after t (Beck and Teboulle 2009, eq. 4.2).
BASIN_HOST_DEVICE inline double next_t(double t) { return 0.5 * (1.0 + ::sqrt(1.0 + 4.0 * t * t)); }

/// What says how far z is from the minimum of F(z) = 1/2 z'Hz - q'z + c + sum_i t_i |z_i|: with g = Hz - q,
template <class T>
struct LassoSums {
  T product;  // z'g
  T linear;   // z'q
  T norm;     // sum_i t_i |z_i|
  T dual;     // max_i |g_i| / t_i, for z >= 0 max_i max(0, -g_i) / t_i
};

/// The relative duality gap of a sample (split.h says why): with f = c + (z'g - z'q) / 2 and s the scale of
/// the dual point, ((1 - s)^2 f + norm + s z'g) / (f + norm).
/// `epsilon` is that of the numbers that the sums were made of.
BASIN_HOST_DEVICE inline double lasso_gap(const LassoSums<double>& sums, double constant, double epsilon) {
  constexpr double kTiny = 1e-30;
  const double product = sums.product, norm = sums.norm;
  // Where codes reconstruct well, f is what rounding leaves of a difference: below that error it counts as
  // the error, for which the bound still holds.
  const double floor = 8.0 * epsilon * constant, difference = constant + 0.5 * (product - sums.linear);
  const double f = difference < floor ? floor : difference;
  const double above = 1.0 - product / (2.0 * f + kTiny), dual = 1.0 / (sums.dual + kTiny);
  const double least = dual < above ? dual : above, s = 0.0 < least ? least : 0.0;
  const double gap = (1.0 - s) * (1.0 - s) * f + norm + s * product;
  // Not max(), which would hide a NaN.
  return (gap < 0.0 ? 0.0 : gap) / (::fabs(f + norm) + kTiny);
}

template <class T>
double lasso_gap(const LassoSums<T>& sums, double constant) {
  return lasso_gap({sums.product, sums.linear, sums.norm, sums.dual}, constant,
                   std::numeric_limits<T>::epsilon());
}

/// Rows of vectors end where the widest vector of any instruction set does.
constexpr Index kLassoPadding = 16;

/// What all samples share. `width` is the number of codes rounded up to kLassoPadding; beyond the codes
/// everything is 0, thresholds 1.
template <class T>
struct ScaledLasso {
  const T* gram =
      nullptr;  // H, [codes, width]; coordinate descent wants H_ii = 1, or 0 where a coordinate is never used
  const T* threshold = nullptr;          // [width], lambda of each coordinate
  const T* inverse_threshold = nullptr;  // [width]
  Index width = 0;
  bool non_negative = false;
  double tolerance = 0.0;
  Index max_steps = 0;
};

/// One sample of it; all [width].
template <class T>
struct LassoSample {
  T* z;         // the start, then the solution
  T* gradient;  // work
  const T* linear;
  double constant;
};

struct LassoOutcome {
  double gap;
  Index steps;  // coordinates moved
};

LassoOutcome lasso_descend(const ScaledLasso<float>& lasso, const LassoSample<float>& sample);
LassoOutcome lasso_descend(const ScaledLasso<double>& lasso, const LassoSample<double>& sample);

/// The sums at z with gradient g; all [width].
LassoSums<float> lasso_sums(const ScaledLasso<float>& lasso, const float* z, const float* gradient,
                            const float* linear);
LassoSums<double> lasso_sums(const ScaledLasso<double>& lasso, const double* z, const double* gradient,
                             const double* linear);

/// One sample's move of (F)ISTA: u = z + beta (z - before), before <- shrink(u - step (H u - q)); H u comes
/// from the products H z and H before, so that the product of the next z serves the duality gap as well. All
/// rows are [width].
template <class T>
struct GradientRow {
  const T* z;
  T* before;  // becomes the next z
  const T* product;
  const T* product_before;
  const T* linear;
  T beta, step;
};

/// Returns (u - z+).(z+ - z), which is positive where momentum points uphill.
float lasso_move(const ScaledLasso<float>& lasso, const GradientRow<float>& row);
double lasso_move(const ScaledLasso<double>& lasso, const GradientRow<double>& row);

}  // namespace basin
