#pragma once

#include <cstdint>

namespace basin {

/// Size of the one OpenMP pool that kernels, OpenBLAS and oneDNN share; it starts as the cores this process
/// may use (or OMP_NUM_THREADS). It holds for calls from this thread. Throws Error unless 1 <= count <=
/// kMostThreads.
void set_thread_count(std::int64_t count);
int thread_count();

inline constexpr int kMostThreads = 1024;

/// Processors that this process may use: more threads than that take turns.
int processor_count();

}  // namespace basin
