#pragma once

namespace basin {

/// Size of the one OpenMP pool that kernels, OpenBLAS and oneDNN share. Throws Error when count < 1.
void set_thread_count(int count);
int thread_count();

}  // namespace basin
