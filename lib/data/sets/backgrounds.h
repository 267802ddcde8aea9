#pragma once

#include "data/import_limit.h"
#include "tensor/key.h"
#include "tensor/tensor.h"

namespace basin {

/// Patches of the Kodak pictures, [count, 28, 28] in [0, 1], none of them plain (variance at least 0.01):
/// what lies behind digits and rectangles. Throws Error where the pictures are not to be found.
Tensor background_patches(Key key, Index count, const ImportLimit& limit);

}  // namespace basin
