#pragma once

#include "tensor/backend.h"

namespace basin {

/// C = alpha * op(A) B + beta * C in f32 for an A whose rows, as they are stored, are zeros but for at most
/// one 1 (symbols, classes): rows of B are taken, or added up where A is transposed, without a
/// multiplication. Returns false, having written nothing, when A holds other numbers or B is transposed.
/// Equal bit for bit to binary_gemm, on any threads; like there, an infinity or NaN of B that meets a 0 is
/// passed over.
bool one_hot_gemm(const GemmCall& call);

}  // namespace basin
