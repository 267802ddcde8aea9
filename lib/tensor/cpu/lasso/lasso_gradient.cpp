#include "tensor/cpu/lasso/lasso.h"
#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/lasso/lasso_gradient.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
T move_of(const ScaledLasso<T>& lasso, const GradientRow<T>& row) {
  const hn::ScalableTag<T> d;
  const auto beta = hn::Set(d, row.beta), step = hn::Set(d, row.step),
             lowest = hn::Set(d, -std::numeric_limits<T>::infinity());
  auto uphill = hn::Zero(d);
  for (std::size_t i = 0; i < static_cast<std::size_t>(lasso.width); i += hn::Lanes(d)) {
    const auto z = hn::Load(d, row.z + i), product = hn::Load(d, row.product + i);
    const auto u = hn::MulAdd(beta, hn::Sub(z, hn::Load(d, row.before + i)), z);
    const auto image = hn::MulAdd(beta, hn::Sub(product, hn::Load(d, row.product_before + i)), product);
    const auto v = hn::NegMulAdd(step, hn::Sub(image, hn::Load(d, row.linear + i)), u);
    const auto t = hn::Mul(step, hn::Load(d, lasso.threshold + i));
    const auto next = hn::Sub(v, hn::Max(lasso.non_negative ? lowest : hn::Neg(t), hn::Min(t, v)));
    hn::Store(next, d, row.before + i);
    uphill = hn::MulAdd(hn::Sub(u, next), hn::Sub(next, z), uphill);
  }
  return hn::GetLane(hn::SumOfLanes(d, uphill));
}

float move_f32(const ScaledLasso<float>& lasso, const GradientRow<float>& row) { return move_of(lasso, row); }
double move_f64(const ScaledLasso<double>& lasso, const GradientRow<double>& row) {
  return move_of(lasso, row);
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {

HWY_EXPORT(move_f32);
HWY_EXPORT(move_f64);

float lasso_move(const ScaledLasso<float>& lasso, const GradientRow<float>& row) {
  return HWY_DYNAMIC_DISPATCH(move_f32)(lasso, row);
}
double lasso_move(const ScaledLasso<double>& lasso, const GradientRow<double>& row) {
  return HWY_DYNAMIC_DISPATCH(move_f64)(lasso, row);
}

}  // namespace basin
#endif
