#pragma once

#include <cstddef>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/recurrence/recurrence.h"
#include "tensor/cpu/workspace.h"

namespace basin {

/// A pass over a gated layer: pack(call, packed) once, then run(call, room, begin, end) on rows. Threads take
/// rows for all steps, so that none waits for another.
template <class Call, class Pack, class Run>
void run_rows(CpuBackend& kernels, const Call& call, const Pack& pack, const Run& run) {
  if (call.rows <= 0 || call.hidden <= 0) return;
  const auto bytes = static_cast<Index>(byte_size(call.dtype));
  const Workspace<std::byte> packed(kernels, RecurrenceRoom::packed_size(call) * bytes),
      states(kernels, RecurrenceRoom::kRowStates * call.rows * call.hidden * bytes);
  const Workspace<Index> active(kernels, call.rows);
  const RecurrenceRoom room{packed.data(), states.data(), active.data()};
  pack(call, room.packed);
  parallel_ranges(call.rows, call.steps * call.hidden, 1,
                  [&](Index begin, Index end) { run(call, room, begin, end); });
}

}  // namespace basin
