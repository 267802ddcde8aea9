#pragma once

#include "autograd/value.h"
#include "tensor/backend.h"

/// Ops by index, of which the public ones are made.
namespace basin {

/// Numbers chosen along the middle axis of [outer, middle, inner], `count` for each outer place, and the
/// shapes that both sides have for those who use them.
struct Indexing {
  Index outer = 1, middle = 0, inner = 1, count = 1;
  Shape whole, chosen;

  IndexCall call(Dtype dtype, const Tensor& indices) const {
    return {.dtype = dtype,
            .outer = outer,
            .middle = middle,
            .inner = inner,
            .count = count,
            .index = indices.data()};
  }
};

/// Throws Error where whole numbers below `count` do not all exist in the dtype.
void check_whole(const char* who, Dtype dtype, Index count);
/// Throws Error, naming row and value, unless all are whole numbers in [0, count) (one download).
void check_indices(const char* who, const Tensor& indices, Index count);

/// What the indices choose, [outer, count, inner]; they are known to fit. Its gradient is `scattered`.
Value gathered(const Value& x, const Tensor& indices, const Indexing& at);
/// Sums of what the indices send to a place, [outer, middle, inner]. Its gradient is `gathered`.
Value scattered(const Value& x, const Tensor& indices, const Indexing& at);

}  // namespace basin
