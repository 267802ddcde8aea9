#pragma once

#include "tensor/cpu/cpu_backend.h"

namespace basin {

/// A correlation in f32 by oneDNN, a few images at a time: what a piece reads, writes and reorders stays in
/// the second-level cache, and pieces are shared out among the threads, each of them run by one, so that the
/// bits do not depend on how many there are. False where oneDNN has no kernel.
bool conv_onednn(CpuBackend& backend, const ConvCall& call);

}  // namespace basin
