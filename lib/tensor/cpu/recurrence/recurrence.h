#pragma once

#include "tensor/recurrence.h"

namespace basin {

/// Work memory of a pass over a gated layer, shared by its threads.
struct RecurrenceRoom {
  void* packed = nullptr;   // the weights in panels, packed_size() numbers
  void* states = nullptr;   // [kRowStates, rows, H]
  Index* active = nullptr;  // [rows]

  static constexpr Index kRowStates = 3;
  static constexpr Index kWidest = 64;  // numbers across a panel
  static Index packed_size(const RecurrenceSizes& sizes) {
    return sizes.gates() * sizes.hidden * (sizes.hidden + kWidest);
  }
};

}  // namespace basin
