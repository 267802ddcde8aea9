#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/units_binary.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/cpu/random-inl.h"
#include "tensor/cpu/units_binary.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

void binary_run(const BinaryRun& run) {
  const Floats d;
  alignas(64) float buffer[kStreamRoom];
  const float* u = run.sample != nullptr ? uniforms_of(run.key, run.draw, run.n, buffer) : buffer;
  const Float scale = constant(run.scale), one = constant(1.0f);
  const auto mean_of = [scale](Float input, Float bias, Float base)
                           HWY_ATTR { return sigmoid(hn::MulAdd(scale, hn::Add(input, bias), base)); };
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= run.n; i += lanes) {
    const Float base = run.base != nullptr ? hn::LoadU(d, run.base + i) : hn::Zero(d);
    const Float mean = mean_of(hn::LoadU(d, run.input + i), hn::LoadU(d, run.bias + i), base);
    if (run.mean != nullptr) hn::StoreU(mean, d, run.mean + i);
    if (run.sample != nullptr) hn::StoreU(hn::IfThenElseZero(hn::Lt(hn::LoadU(d, u + i), mean), one), d, run.sample + i);
  }
  if (i < run.n) {  // the same numbers with masks, whose stores are slow on some processors
    const Mask used = hn::FirstN(d, run.n - i);
    const Float base = run.base != nullptr ? hn::MaskedLoad(used, d, run.base + i) : hn::Zero(d);
    const Float mean = mean_of(hn::MaskedLoad(used, d, run.input + i), hn::MaskedLoad(used, d, run.bias + i), base);
    if (run.mean != nullptr) hn::BlendedStore(mean, used, d, run.mean + i);
    if (run.sample != nullptr) {
      hn::BlendedStore(hn::IfThenElseZero(hn::Lt(hn::LoadU(d, u + i), mean), one), used, d, run.sample + i);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {
HWY_EXPORT(binary_run);
void binary_units(const BinaryRun& run) { HWY_DYNAMIC_DISPATCH(binary_run)(run); }
}  // namespace basin
#endif
