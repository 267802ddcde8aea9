#include "tensor/backend.h"

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/cpu_solvers.h"
#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/cuda_solvers.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/error.h"
#include "tensor/guard/guard_backend.h"
#include "tensor/guard/guard_solvers.h"

namespace basin {
namespace {

// Never destroyed: static tensors may be released after this file's other statics.
CpuBackend& cpu() {
  static CpuBackend& kernels = *new CpuBackend;
  return kernels;
}

CpuSolvers& cpu_solvers() {
  static CpuSolvers& solvers = *new CpuSolvers(cpu());
  return solvers;
}

GuardBackend& guard() {
  static GuardBackend& kernels = *new GuardBackend(cpu());
  return kernels;
}

CudaBackend& emulated() {
  static CudaBackend& kernels = *new CudaBackend(CudaOptions{});
  return kernels;
}

GuardBackend& guarded_emulated() {
  static GuardBackend& kernels = *new GuardBackend(emulated());
  return kernels;
}

}  // namespace

Backend& backend(Device device) {
  switch (device) {
    case Device::Cpu:
      return cpu();
    case Device::Guard:
      return guard();
    case Device::Cuda:
      return cuda_backend();
    case Device::CudaEmulated:
      return guarded_emulated();
  }
  throw Error("[backend] expected a Device, received a number that is none");
}

std::uint64_t emulated_launches() { return emulated().launches(); }

GuardWork guard_work(Device device) {
  return device == Device::CudaEmulated ? guarded_emulated().work() : guard().work();
}

Solvers* solvers(Device device) {
  static GuardSolvers& guarded = *new GuardSolvers(cpu_solvers(), guard().memory());
  static GuardSolvers& guarded_emulated_solvers =
      *new GuardSolvers(*new CudaSolvers(emulated()), guarded_emulated().memory());
  switch (device) {
    case Device::Cpu:
      return &cpu_solvers();
    case Device::Guard:
      return WithoutGuardSolvers::any() ? nullptr : &guarded;
    case Device::Cuda:
      return cuda_solvers();
    case Device::CudaEmulated:
      return &guarded_emulated_solvers;
  }
  throw Error("[solvers] expected a Device, received a number that is none");
}

}  // namespace basin
