#include "tensor/threads.h"

#include <fmt/format.h>
#include <omp.h>

#include "tensor/error.h"

namespace basin {

void set_thread_count(std::int64_t count) {
  if (count < 1 || count > kMostThreads)
    throw Error(fmt::format("[threads] expected 1 to {} threads, received {}", kMostThreads, count));
  // OpenBLAS (OpenMP build) and oneDNN ask omp_get_max_threads() at every call, so this is the only switch.
  omp_set_num_threads(static_cast<int>(count));
}

int thread_count() { return omp_get_max_threads(); }

int processor_count() { return omp_get_num_procs(); }

}  // namespace basin
