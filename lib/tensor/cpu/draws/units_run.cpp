#include "tensor/cpu/draws/units_run.h"

#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/draws/units_run.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/cpu/draws/random-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

/// Calls body(total, i, used, whole) for the vectors of a run. The last may be a partial one, read through
/// the mask `used`, so that a unit's numbers do not depend on where its run ends.
template <class Body>
HWY_INLINE void for_vectors(const UnitRun& run, const Body& body) {
  const Floats d;
  const Float scale = constant(run.scale);
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  const Mask all = hn::FirstN(d, lanes);
  for (; i + lanes <= run.n; i += lanes) {
    const Float base = run.base != nullptr ? hn::LoadU(d, run.base + i) : hn::Zero(d);
    const Float input = hn::Add(hn::LoadU(d, run.input + i), hn::LoadU(d, run.bias + i));
    body(hn::MulAdd(scale, input, base), i, all, true);
  }
  if (i < run.n) {
    const Mask used = hn::FirstN(d, run.n - i);
    const Float base = run.base != nullptr ? hn::MaskedLoad(used, d, run.base + i) : hn::Zero(d);
    const Float input =
        hn::Add(hn::MaskedLoad(used, d, run.input + i), hn::MaskedLoad(used, d, run.bias + i));
    body(hn::MulAdd(scale, input, base), i, used, false);
  }
}

/// Masked stores are slow on some processors: they are kept for partial vectors.
HWY_INLINE void write(Float x, float* to, Mask used, bool whole) {
  if (whole) {
    hn::StoreU(x, Floats(), to);
  } else {
    hn::BlendedStore(x, used, Floats(), to);
  }
}

void binary_run(const UnitRun& run) {
  const Floats d;
  alignas(64) float buffer[kStreamRoom];
  const float* u = run.sample != nullptr ? uniforms_of(run.key, run.draw, run.n, buffer) : buffer;
  for_vectors(run, [&run, u, d](Float total, std::size_t i, Mask used, bool whole) HWY_ATTR {
    const Float mean = sigmoid(total);
    if (run.mean != nullptr) write(mean, run.mean + i, used, whole);
    if (run.sample == nullptr) return;
    write(hn::IfThenElseZero(hn::Lt(hn::LoadU(d, u + i), mean), constant(1.0f)), run.sample + i, used, whole);
  });
}

void gaussian_run(const UnitRun& run, const float* z) {
  const Floats d;
  for_vectors(run, [&run, z, d](Float total, std::size_t i, Mask used, bool whole) HWY_ATTR {
    const Float precision =
        whole ? hn::LoadU(d, run.precision + i) : hn::MaskedLoad(used, d, run.precision + i);
    const Float mean = hn::Div(total, precision);
    if (run.mean != nullptr) write(mean, run.mean + i, used, whole);
    if (run.sample == nullptr) return;
    write(hn::Add(mean, hn::Div(hn::LoadU(d, z + i), hn::Sqrt(precision))), run.sample + i, used, whole);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {

HWY_EXPORT(binary_run);
HWY_EXPORT(gaussian_run);

void binary_units(const UnitRun& run) { HWY_DYNAMIC_DISPATCH(binary_run)(run); }

void gaussian_units(const UnitRun& run) {
  alignas(64) float z[kStreamRoom];
  if (run.sample != nullptr) stream_normals(run.key, run.draw, run.n, z);
  HWY_DYNAMIC_DISPATCH(gaussian_run)(run, z);
}

}  // namespace basin
#endif
