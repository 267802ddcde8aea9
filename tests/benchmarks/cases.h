#pragma once

#include "benchmarks/measure.h"

namespace basin::benchmarks {

/// Lasso codes of 10,000 patches (sparse_encode_*), by FISTA (fista_*) and by the derived path (derived_*).
void sparse_encode(const Arguments& arguments);

}  // namespace basin::benchmarks
