#pragma once

namespace basin {

/// Size of the one OpenMP pool that kernels, OpenBLAS and oneDNN share; it starts as the cores this process
/// may use (or OMP_NUM_THREADS). It holds for calls from this thread. Throws Error when count < 1.
void set_thread_count(int count);
int thread_count();

}  // namespace basin
