#include "training/distances.h"

#include "autograd/ops.h"

namespace basin {

Value squared_distances(const Value& a, const Value& b) {
  return sum(square(a), {1}, {.keep = true}) + reshape(sum(square(b), {1}), {1, b.dim(0)}) -
         2.0 * matmul(a, b, {.transpose_b = true});
}

}  // namespace basin
