#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tensor/host_device.h"

// Elementary functions, one number at a time. Those of f32 are the CPU's vector functions
// (cpu/vector_math-inl.h) operation by operation, so that a GPU gives the CPU's bits; those of f64 are the
// platform's. Polynomials: Moshier 1992, Cephes mathematical library.

namespace basin::cuda::math {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

BASIN_HOST_DEVICE inline float fma(float a, float b, float c) { return ::fmaf(a, b, c); }
BASIN_HOST_DEVICE inline double fma(double a, double b, double c) { return ::fma(a, b, c); }
BASIN_HOST_DEVICE inline float absolute(float x) { return ::fabsf(x); }
BASIN_HOST_DEVICE inline double absolute(double x) { return ::fabs(x); }
BASIN_HOST_DEVICE inline float square_root(float x) { return ::sqrtf(x); }
BASIN_HOST_DEVICE inline double square_root(double x) { return ::sqrt(x); }
BASIN_HOST_DEVICE inline float with_sign_of(float x, float sign) { return ::copysignf(x, sign); }

BASIN_HOST_DEVICE inline std::int32_t bits_of(float x) { return std::bit_cast<std::int32_t>(x); }
BASIN_HOST_DEVICE inline float float_of(std::int32_t bits) { return std::bit_cast<float>(bits); }

/// 2^n for -126 <= n <= 127.
BASIN_HOST_DEVICE inline float power_of_two(std::int32_t n) { return float_of((n + 127) << 23); }

BASIN_HOST_DEVICE inline float exp(float x) {
  // A NaN fails both comparisons and goes through.
  x = -104.0f > x ? -104.0f : x;
  x = 89.0f < x ? 89.0f : x;
  const float n = ::rintf(x * 1.44269504f);
  const float r = fma(-n, -2.12194440e-4f, fma(-n, 0.693359375f, x));
  float p = 1.9875691500e-4f;
  p = fma(p, r, 1.3981999507e-3f);
  p = fma(p, r, 8.3334519073e-3f);
  p = fma(p, r, 4.1665795894e-2f);
  p = fma(p, r, 1.6666665459e-1f);
  p = fma(p, r, 0.5f);
  p = fma(p, r * r, r + 1.0f);
  const std::int32_t whole = n == n ? static_cast<std::int32_t>(n) : 0, half = whole >> 1;
  return p * power_of_two(half) * power_of_two(whole - half);
}

/// log(x) for positive, normal, finite x; `exponent_offset` is added to the exponent.
BASIN_HOST_DEVICE inline float log_of_normal(float x, float exponent_offset) {
  constexpr std::int32_t kRootHalf = 0x3F3504F3;
  const std::int32_t bits = bits_of(x) - kRootHalf;
  const float e = static_cast<float>(bits >> 23) + exponent_offset;
  const float f = float_of((bits & 0x007FFFFF) + kRootHalf) - 1.0f;
  const float square = f * f;
  float p = 7.0376836292e-2f;
  p = fma(p, f, -1.1514610310e-1f);
  p = fma(p, f, 1.1676998740e-1f);
  p = fma(p, f, -1.2420140846e-1f);
  p = fma(p, f, 1.4249322787e-1f);
  p = fma(p, f, -1.6668057665e-1f);
  p = fma(p, f, 2.0000714765e-1f);
  p = fma(p, f, -2.4999993993e-1f);
  p = fma(p, f, 3.3333331174e-1f);
  float rest = p * f * square;
  rest = fma(e, -2.12194440e-4f, rest);
  rest = fma(-square, 0.5f, rest);
  return fma(e, 0.693359375f, f + rest);
}

BASIN_HOST_DEVICE inline float log(float x) {
  if (x > 0.0f && x < kInfinity) {
    const bool denormal = x < std::numeric_limits<float>::min();
    return log_of_normal(denormal ? x * 8388608.0f : x, denormal ? -23.0f : 0.0f);
  }
  if (x == 0.0f) return -kInfinity;
  return x == kInfinity ? x : std::numeric_limits<float>::quiet_NaN();
}

BASIN_HOST_DEVICE inline float log1p(float x) {
  const float u = 1.0f + x, log_u = log(u);
  const float lost = x > 1.0f ? 1.0f - (u - x) : x - (u - 1.0f);
  return absolute(log_u) < kInfinity ? log_u + lost / u : log_u;
}

BASIN_HOST_DEVICE inline float sigmoid(float x) {
  const float e = exp(-absolute(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

BASIN_HOST_DEVICE inline float softplus(float x) {
  const float e = exp(-absolute(x)), u = 1.0f + e;
  const float lost = e - (u - 1.0f);
  const float sum = (0.0f > x ? 0.0f : x) + (log_of_normal(u, 0.0f) + lost / u);
  return x == x ? sum : x;
}

BASIN_HOST_DEVICE inline float tanh(float x) {
  const float magnitude = absolute(x);
  if (magnitude < 0.625f) {
    const float square = x * x;
    float p = -5.70498872745e-3f;
    p = fma(p, square, 2.06390887954e-2f);
    p = fma(p, square, -5.37397155531e-2f);
    p = fma(p, square, 1.33314422036e-1f);
    p = fma(p, square, -3.33332819422e-1f);
    return fma(p * square, x, x);
  }
  return with_sign_of(1.0f - 2.0f / (exp(magnitude + magnitude) + 1.0f), x);
}

BASIN_HOST_DEVICE inline float atan(float x) {
  const float magnitude = absolute(x);
  const bool far = magnitude > 2.41421356f, middle = magnitude > 0.414213562f;
  const float numerator = far ? -1.0f : magnitude - 1.0f, denominator = far ? magnitude : magnitude + 1.0f;
  const float t = middle ? numerator / denominator : magnitude;
  const float offset = far ? 1.57079633f : middle ? 0.785398163f : 0.0f;
  const float square = t * t;
  float p = -6.457294718e-2f;
  p = fma(p, square, 1.074567313e-1f);
  p = fma(p, square, -1.426417505e-1f);
  p = fma(p, square, 1.999954843e-1f);
  p = fma(p, square, -3.333333181e-1f);
  return with_sign_of(offset + fma(p * square, t, t), x);
}

BASIN_HOST_DEVICE inline float asinh(float x) {
  if (x != x) return x;
  const float magnitude = absolute(x);
  if (magnitude > 16384.0f) return with_sign_of(log(magnitude) + 0.693147181f, x);
  const float square = magnitude * magnitude;
  return with_sign_of(log1p(magnitude + square / (1.0f + square_root(1.0f + square))), x);
}

/// Phi(x) of the standard normal.
BASIN_HOST_DEVICE inline float ndtr(float x) {
  if (x != x) return x;
  const float size = absolute(x);
  if (size < 1.0f) {
    const float square = x * x;
    float p = -7.662608654e-6f;
    p = fma(p, square, 1.135074795e-4f);
    p = fma(p, square, -1.186348532e-3f);
    p = fma(p, square, 9.973330108e-3f);
    p = fma(p, square, -6.649036077e-2f);
    p = fma(p, square, 3.989422801e-1f);
    return fma(p, x, 0.5f);
  }
  const float magnitude = size > 20.0f ? 20.0f : size;
  const float z = magnitude * 0.707106781f, v = (z - 0.707106781f) / (z + 2.0f);
  float q = 6.445518920e-3f;
  q = fma(q, v, -4.130973492e-2f);
  q = fma(q, v, 9.049756159e-2f);
  q = fma(q, v, -5.531165632e-2f);
  q = fma(q, v, -5.031863350e-2f);
  q = fma(q, v, -3.959909955e-2f);
  q = fma(q, v, 3.787153304e-1f);
  q = fma(q, v, -5.030728824e-1f);
  q = fma(q, v, 1.466373220e-1f);
  q = fma(q, v, 6.315058470e-1f);
  const float square = magnitude * magnitude, lost = fma(magnitude, magnitude, -square);
  const float power = exp(square * -0.5f);
  const float density = fma(-(power * 0.5f), lost, power);
  const float tail = q * density / fma(2.0f, z, 1.0f);
  return x < 0.0f ? tail : 1.0f - tail;
}

BASIN_HOST_DEVICE inline float elu(float x) { return x > 0.0f ? x : tanh(x * 0.5f) * (exp(x) + 1.0f); }

/// cos and sin of 2 pi u for 0 <= u <= 1.
BASIN_HOST_DEVICE inline void cos_sin_turns(float u, float& cosine, float& sine) {
  const float q = ::rintf(u * 4.0f), x = fma(-q, 0.25f, u) * 6.28318530718f, square = x * x;
  float s = fma(-1.9515295891e-4f, square, 8.3321608736e-3f);
  s = fma(s, square, -1.6666654611e-1f);
  s = fma(s * square, x, x);
  float c = fma(2.443315711809948e-5f, square, -1.388731625493765e-3f);
  c = fma(c, square, 4.166664568298827e-2f);
  c = fma(c * square, square, fma(-square, 0.5f, 1.0f));
  const auto quarter = static_cast<std::int32_t>(q);
  const bool odd = (quarter & 1) == 1;
  cosine = ((quarter + 1) & 2) != 0 ? -(odd ? s : c) : (odd ? s : c);
  sine = (quarter & 2) != 0 ? -(odd ? c : s) : (odd ? c : s);
}

BASIN_HOST_DEVICE inline double exp(double x) { return ::exp(x); }
BASIN_HOST_DEVICE inline double log(double x) { return ::log(x); }
BASIN_HOST_DEVICE inline double log1p(double x) { return ::log1p(x); }
BASIN_HOST_DEVICE inline double tanh(double x) { return ::tanh(x); }
BASIN_HOST_DEVICE inline double atan(double x) { return ::atan(x); }
BASIN_HOST_DEVICE inline double asinh(double x) { return ::asinh(x); }
BASIN_HOST_DEVICE inline double ndtr(double x) { return 0.5 * ::erfc(-x / 1.41421356237309504880); }
BASIN_HOST_DEVICE inline double elu(double x) { return x > 0.0 ? x : ::expm1(x); }
BASIN_HOST_DEVICE inline double sigmoid(double x) {
  const double e = ::exp(-::fabs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
/// The logarithm keeps a NaN, which fmax drops.
BASIN_HOST_DEVICE inline double softplus(double x) { return ::fmax(x, 0.0) + ::log1p(::exp(-::fabs(x))); }

BASIN_HOST_DEVICE inline float power(float x, float y) { return ::powf(x, y); }
BASIN_HOST_DEVICE inline double power(double x, double y) { return ::pow(x, y); }

}  // namespace basin::cuda::math
