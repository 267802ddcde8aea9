#pragma once

#include "autograd/value.h"
#include "tensor/key.h"

namespace basin {

/// A draw of each row, one-hot [N, K], with probabilities softmax(scores) of scores [N, K]; row n takes draw
/// (first + n) K of the stream, as the kernel of units has it (tensor/backend.h). No history.
Tensor draw_one_hot(const Value& scores, Key key, Index first = 0);

}  // namespace basin
