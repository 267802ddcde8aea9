#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/vector_math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/backend.h"
#include "tensor/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

template <class F>
void map(const float* x, float* y, Index n, const F& f) {
  const Floats d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Index i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i)), d, y + i);
  if (i < n) {
    const Mask used = hn::FirstN(d, static_cast<std::size_t>(n - i));
    hn::BlendedStore(f(hn::MaskedLoad(used, d, x + i)), used, d, y + i);
  }
}

/// The functions that compilers do not vectorise by themselves; false for the others.
bool transcendental(Unary op, const float* x, float* y, Index n) {
  switch (op) {
    case Unary::Exp:
      map(x, y, n, [](Float v) HWY_ATTR { return exp(v); });
      return true;
    case Unary::Log:
      map(x, y, n, [](Float v) HWY_ATTR { return log(v); });
      return true;
    case Unary::Log1p:
      map(x, y, n, [](Float v) HWY_ATTR { return log1p(v); });
      return true;
    case Unary::Sqrt:
      map(x, y, n, [](Float v) HWY_ATTR { return hn::Sqrt(v); });
      return true;
    case Unary::Sigmoid:
      map(x, y, n, [](Float v) HWY_ATTR { return sigmoid(v); });
      return true;
    case Unary::Tanh:
      map(x, y, n, [](Float v) HWY_ATTR { return tanh(v); });
      return true;
    case Unary::Softplus:
      map(x, y, n, [](Float v) HWY_ATTR { return softplus(v); });
      return true;
    case Unary::Atan:
      map(x, y, n, [](Float v) HWY_ATTR { return atan(v); });
      return true;
    case Unary::Asinh:
      map(x, y, n, [](Float v) HWY_ATTR { return asinh(v); });
      return true;
    case Unary::Ndtr:
      map(x, y, n, [](Float v) HWY_ATTR { return ndtr(v); });
      return true;
    case Unary::Elu:
      map(x, y, n, [](Float v) HWY_ATTR { return elu(v); });
      return true;
    default:
      return false;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>
#include <numbers>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/normal_tail.h"

namespace basin {

HWY_EXPORT(transcendental);

namespace {

/// Elements of a cache line of floats: ranges end there so that no two threads write to one line.
constexpr Index kLine = 16;

/// Cost of an element beside a memory-bound pass: vectorised and scalar transcendental functions.
constexpr Index kVectorCost = 2, kScalarCost = 32;

template <class T, class F>
void loop(const T* x, T* y, Index n, const F& f) {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i]);
}

template <class T>
void simple(Unary op, const T* x, T* y, Index n) {
  switch (op) {
    case Unary::Neg:
      loop(x, y, n, [](T v) { return -v; });
      break;
    case Unary::Square:
      loop(x, y, n, [](T v) { return v * v; });
      break;
    case Unary::Reciprocal:
      loop(x, y, n, [](T v) { return T{1} / v; });
      break;
    case Unary::Abs:
      loop(x, y, n, [](T v) { return std::abs(v); });
      break;
    case Unary::Sign:
      loop(x, y, n, [](T v) { return v > T{0} ? T{1} : v < T{0} ? T{-1} : v; });
      break;  // NaN stays NaN
    case Unary::Step:
      loop(x, y, n, [](T v) { return v > T{0} ? T{1} : T{0}; });
      break;
    case Unary::Relu:
      loop(x, y, n, [](T v) { return v < T{0} ? T{0} : v; });
      break;  // NaN stays NaN
    default:
      break;
  }
}

/// f64 serves the oracles: the C library's functions, one at a time; false for the others.
bool precise(Unary op, const double* x, double* y, Index n) {
  const auto each = [=](auto f) {
    for (Index i = 0; i < n; ++i) y[i] = f(x[i]);
    return true;
  };
  switch (op) {
    case Unary::Exp:
      return each([](double v) { return std::exp(v); });
    case Unary::Sqrt:
      return each([](double v) { return std::sqrt(v); });
    case Unary::Log:
      return each([](double v) { return std::log(v); });
    case Unary::Log1p:
      return each([](double v) { return std::log1p(v); });
    case Unary::Tanh:
      return each([](double v) { return std::tanh(v); });
    case Unary::Sigmoid:
      return each([](double v) {
        const double e = std::exp(-std::abs(v));
        return (v < 0.0 ? e : 1.0) / (1.0 + e);
      });
    case Unary::Softplus:
      // The logarithm keeps a NaN, which std::fmax drops.
      return each([](double v) { return std::fmax(v, 0.0) + std::log1p(std::exp(-std::abs(v))); });
    case Unary::LogNdtr:
      return each(log_normal_cdf);
    case Unary::Atan:
      return each([](double v) { return std::atan(v); });
    case Unary::Asinh:
      return each([](double v) { return std::asinh(v); });
    case Unary::Ndtr:
      return each([](double v) { return 0.5 * std::erfc(-v / std::numbers::sqrt2); });
    case Unary::Elu:
      return each([](double v) { return v > 0.0 ? v : std::expm1(v); });
    default:
      return false;
  }
}

}  // namespace

void CpuBackend::unary(Unary op, Dtype dtype, const void* x, void* y, Index n) {
  if (dtype == Dtype::F64) {
    const auto* from = static_cast<const double*>(x);
    auto* to = static_cast<double*>(y);
    parallel_ranges(n, kScalarCost, kLine, [=](Index begin, Index end) {
      if (!precise(op, from + begin, to + begin, end - begin))
        simple(op, from + begin, to + begin, end - begin);
    });
    return;
  }
  const auto* from = static_cast<const float*>(x);
  auto* to = static_cast<float*>(y);
  if (op == Unary::LogNdtr) {
    parallel_ranges(n, kScalarCost, kLine, [=](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        to[i] = static_cast<float>(log_normal_cdf(static_cast<double>(from[i])));
    });
    return;
  }
  parallel_ranges(n, kVectorCost, kLine, [=](Index begin, Index end) {
    if (!HWY_DYNAMIC_DISPATCH(transcendental)(op, from + begin, to + begin, end - begin))
      simple(op, from + begin, to + begin, end - begin);
  });
}

}  // namespace basin
#endif
