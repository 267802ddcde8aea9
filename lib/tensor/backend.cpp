#include "tensor/backend.h"

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cuda/cuda_backend.h"
#include "tensor/error.h"
#include "tensor/guard/guard_backend.h"

namespace basin {

Backend& backend(Device device) {
  // Never destroyed: static tensors may be released after this file's other statics.
  static CpuBackend& cpu = *new CpuBackend;
  static GuardBackend& guard = *new GuardBackend(cpu);
  switch (device) {
    case Device::Cpu:
      return cpu;
    case Device::Guard:
      return guard;
    case Device::Cuda:
      return cuda_backend();
  }
  throw Error("[backend] expected a Device, received a number that is none");
}

}  // namespace basin
