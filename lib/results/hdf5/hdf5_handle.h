#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace basin {

/// HDF5's type of identifiers and of return values, named here so that its header stays in .cpp files.
using Hdf5Id = std::int64_t;
using Hdf5Status = int;

/// While one lives, this thread alone uses HDF5 (Debian's build has no locks of its own), and HDF5 prints no
/// errors.
class Hdf5Session {
 public:
  Hdf5Session();
  ~Hdf5Session();
  Hdf5Session(const Hdf5Session&) = delete;
  Hdf5Session& operator=(const Hdf5Session&) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
  Hdf5Status (*print_)(Hdf5Id, void*) = nullptr;
  void* data_ = nullptr;
};

/// Throws Error "[hdf5] WHAT: reason", by what HDF5 says went wrong.
[[noreturn]] void hdf5_fail(const std::string& what);

/// The result itself; throws Error when it is negative, which is how HDF5 says no.
template <class Result>
Result hdf5_check(Result result, const std::string& what) {
  if (result < 0) {
    hdf5_fail(what);
  }
  return result;
}

/// An identifier that closes itself. Throws Error when `id` is none; `what` is for the message.
class Hdf5Handle {
 public:
  using Close = Hdf5Status (*)(Hdf5Id);
  Hdf5Handle(Hdf5Id id, Close close, const std::string& what) : id_(hdf5_check(id, what)), close_(close) {}
  ~Hdf5Handle() { close_(id_); }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  operator Hdf5Id() const { return id_; }

 private:
  Hdf5Id id_;
  Close close_;
};

/// Names of what lies in a group, sorted; Error for one that cannot be printed. HDF5 is asked in its own
/// order: sorting itself, it frees memory that it never filled when a large group is damaged (1.10.8).
std::vector<std::string> hdf5_names(Hdf5Id group, const std::string& what);

/// How to open a file that lives in memory: HDF5's "core" driver without a file behind it. The format is that
/// of HDF5 1.8: it has a checksum on every description of an object, which HDF5 compares when it reads, and
/// MATLAB and old tools know it.
Hdf5Handle hdf5_memory_access();

}  // namespace basin
