#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace basin {

/// Dtype and device of a tensor: where and in what precision a computation happens.
struct Placement {
  Dtype dtype = Dtype::F32;
  Device device = Device::Cpu;
  bool operator==(const Placement&) const = default;
};

/// A contiguous row-major buffer with shape, dtype and device; a cheap handle that shares its bytes when
/// copied.
///
/// It has no arithmetic: that is the business of autograd/ops.h. Batches come first: [N, features], [N, C, H,
/// W]. The bytes of an [N, features] tensor are those of an Armadillo matrix (features x N), one sample a
/// column.
class Tensor {
 public:
  /// No storage: defined() is false.
  Tensor() = default;
  /// Uninitialised elements. Throws Error when the memory cannot be had.
  explicit Tensor(Shape shape, Placement placement = {});

  static Tensor full(Shape shape, double value, Placement placement = {});
  static Tensor zeros(Shape shape, Placement placement = {}) {
    return full(std::move(shape), 0.0, placement);
  }
  /// Copies host numbers (rounded to the dtype). Throws Error when the count does not fit the shape.
  static Tensor from(std::span<const double> values, Shape shape, Placement placement = {});
  static Tensor from(std::span<const float> values, Shape shape, Placement placement = {});

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  Index rank() const { return static_cast<Index>(shape_.size()); }
  /// Extent of one axis; negative axes count from the last. Throws Error when there is no such axis.
  Index dim(Index axis) const;
  Index size() const { return size_; }
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * byte_size(dtype()); }
  Dtype dtype() const { return placement_.dtype; }
  Device device() const { return placement_.device; }
  Placement placement() const { return placement_; }

  /// Address on the tensor's device; only kernels may look behind it.
  void* data() const { return data_; }
  /// Typed host address. Throws Error unless the device is Cpu and the dtype is T's.
  template <class T>
  T* host() const;

  /// A view that shares the bytes, under another shape of equal size.
  Tensor reshaped(Shape shape) const;
  /// A view of samples [begin, end) along the first axis.
  Tensor rows(Index begin, Index end) const;

  Tensor clone() const;
  /// The same numbers elsewhere or in another precision; this very tensor when nothing changes.
  Tensor to(Placement placement) const;
  Tensor to(Device device) const { return to(Placement{dtype(), device}); }
  Tensor to(Dtype dtype) const { return to(Placement{dtype, device()}); }
  /// Overwrites this tensor's bytes (all who share them see it). Shapes must agree; converts dtype and
  /// device.
  void copy_from(const Tensor& other) const;
  void fill(double value) const;

  /// All numbers, copied to the host.
  std::vector<double> values() const;
  /// The only number of a tensor of size 1. Throws Error otherwise.
  double item() const;

 private:
  struct Storage;
  std::shared_ptr<Storage> storage_;
  void* data_ = nullptr;
  Shape shape_;
  Index size_ = 0;
  Placement placement_;
};

extern template float* Tensor::host<float>() const;
extern template double* Tensor::host<double>() const;

}  // namespace basin
