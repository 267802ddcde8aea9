#pragma once

#include <string>

#include "data/dataset.h"
#include "data/import_limit.h"

namespace basin {

/// Handwritten digits {28, 28} in 10 classes from a pair of IDX files. Throws Error when the files are not
/// readable, of another shape, or do not belong together. Reference: LeCun, Bottou, Bengio, Haffner 1998,
/// "Gradient-based learning applied to document recognition".
Samples read_mnist(const std::string& images, const std::string& labels,
                   const ImportLimit& limit = ImportLimit());

}  // namespace basin
