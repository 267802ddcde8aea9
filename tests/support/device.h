#pragma once

#include "tensor/tensor.h"

namespace basin::test {

/// The device the tests run on: `--device cpu|guard|cuda` on the command line of every test program, default
/// cpu.
Device device();

/// Placement on that device.
inline Placement f64() { return {Dtype::F64, device()}; }
inline Placement f32() { return {Dtype::F32, device()}; }

}  // namespace basin::test
