#include "tensor/dtype.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

std::size_t byte_size(Dtype dtype) { return dtype == Dtype::F32 ? sizeof(float) : sizeof(double); }

std::string to_string(Dtype dtype) { return dtype == Dtype::F32 ? "f32" : "f64"; }

Dtype parse_dtype(std::string_view name) {
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    if (name == to_string(dtype)) return dtype;
  }
  throw Error(fmt::format("[dtype] expected f32 or f64, received '{}'", name));
}

}  // namespace basin
