#pragma once

#include "tensor/dtype.h"

namespace basin::cuda {

/// Calls body(float{}) or body(double{}), whichever the dtype names.
template <class Body>
void with_type(Dtype dtype, const Body& body) {
  if (dtype == Dtype::F32) {
    body(float{});
  } else {
    body(double{});
  }
}

}  // namespace basin::cuda
