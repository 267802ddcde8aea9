#pragma once

#include "tensor/tensor.h"

namespace basin::test {

/// The device the tests run on: `--device cpu|guard|cuda|cuda_emulated` on the command line of every test
/// program, default cpu.
Device device();

/// Whether its memory opens for each kernel and closes after it, which costs more than most kernels do.
inline bool is_guarded() { return device() == Device::Guard || device() == Device::CudaEmulated; }

/// Placement on that device.
inline Placement f64() { return {Dtype::F64, device()}; }
inline Placement f32() { return {Dtype::F32, device()}; }

}  // namespace basin::test
