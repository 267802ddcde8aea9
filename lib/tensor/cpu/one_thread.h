#pragma once

#include <omp.h>

namespace basin {

/// While this lives, libraries that this thread calls plan for one thread and run on it: what they compute
/// does not depend on how many there are.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace basin
