#pragma once

#include <cstddef>

#include "tensor/cpu/cpu_backend.h"

namespace basin {

/// Work memory of a kernel, from the kept blocks of the backend: taken before a parallel region, since
/// nothing may throw inside.
template <class T>
class Workspace {
 public:
  Workspace(CpuBackend& backend, Index count)
      : backend_(backend),
        bytes_(static_cast<std::size_t>(count) * sizeof(T)),
        data_(static_cast<T*>(backend.allocate(bytes_))) {}
  ~Workspace() { backend_.release(data_, bytes_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* data() const { return data_; }

 private:
  CpuBackend& backend_;
  std::size_t bytes_;
  T* data_;
};

}  // namespace basin
