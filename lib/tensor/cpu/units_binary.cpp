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
  const Float scale = constant(run.scale);
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < run.n; i += lanes) {
    // The last vector is a masked one, so that a unit's numbers do not depend on where its run ends.
    const Mask used = hn::FirstN(d, run.n - i);
    const Float input = hn::Add(hn::MaskedLoad(used, d, run.input + i), hn::MaskedLoad(used, d, run.bias + i));
    const Float base = run.base != nullptr ? hn::MaskedLoad(used, d, run.base + i) : hn::Zero(d);
    const Float mean = sigmoid(hn::MulAdd(scale, input, base));
    if (run.mean != nullptr) hn::BlendedStore(mean, used, d, run.mean + i);
    if (run.sample != nullptr) {
      const Float one = hn::IfThenElseZero(hn::Lt(hn::LoadU(d, u + i), mean), constant(1.0f));
      hn::BlendedStore(one, used, d, run.sample + i);
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
