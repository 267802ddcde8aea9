#include "tensor/threads.h"

#include <fmt/format.h>
#include <omp.h>

#include "tensor/error.h"

namespace basin {

void set_thread_count(int count) {
  if (count < 1) throw Error(fmt::format("[threads] expected at least 1 thread, received {}", count));
  // OpenBLAS (OpenMP build) and oneDNN ask omp_get_max_threads() at every call, so this is the only switch.
  omp_set_num_threads(count);
}

int thread_count() { return omp_get_max_threads(); }

}  // namespace basin
