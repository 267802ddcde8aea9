#pragma once

#include "tensor/backend.h"

namespace basin {

/// C = alpha * op(A) op(B) + beta * C in f32 for an A of zeros and ones (the states of binary units), three
/// times as fast as the dense product. Returns false, having written nothing, when A holds other numbers or
/// the product is too small to gain.
///
/// Rows of op(B) are taken in fours; the 16 sums of each four's subsets are tabled for 32 columns, and a row
/// of op(A) adds, for every four, the one sum that its four bits name: a quarter of the additions, and no
/// multiplications (the method of the four Russians: Arlazarov, Dinic, Kronrod, Faradzhev 1970). Sums are
/// formed in an order that depends on k alone: equal bits on any threads. Where A is 0 an infinity or NaN of
/// B is passed over, which 0 * NaN in a dense product would not.
bool binary_gemm(const GemmCall& call);

}  // namespace basin
