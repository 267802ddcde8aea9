#pragma once

namespace basin {

/// Which GPU computes, and in what precision its products of f32 matrices take their factors: as they are, or
/// rounded to TF32 (10 bits of mantissa) or bfloat16 (7 bits); sums are f32. f64 is never rounded.
struct CudaOptions {
  int index = 0;
  bool tf32 = false, bf16 = false;
  bool operator==(const CudaOptions&) const = default;
};

}  // namespace basin
