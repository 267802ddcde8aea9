#include "tensor/tensor.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <limits>
#include <type_traits>
#include <utility>

#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::array<std::atomic<std::uint64_t>, 4> allocations{};  // by device

void require_defined(const Tensor& tensor, const char* who) {
  if (!tensor.defined())
    throw Error(fmt::format("[tensor] {} expected a tensor with storage, received an empty handle", who));
}

std::string describe(Placement placement) {
  return to_string(placement.dtype) + " on " + to_string(placement.device);
}

/// The byte offset of an element.
void* advance(void* data, Index elements, Dtype dtype) {
  return static_cast<std::byte*>(data) + static_cast<std::size_t>(elements) * byte_size(dtype);
}

template <class T>
void upload_as(const Tensor& to, std::span<const T> values) {
  Backend& kernels = backend(to.device());
  if ((to.dtype() == Dtype::F64) == std::is_same_v<T, double>) {
    kernels.upload(to.data(), values.data(), to.bytes());
    return;
  }
  using Other = std::conditional_t<std::is_same_v<T, double>, float, double>;
  std::vector<Other> converted(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) converted[i] = static_cast<Other>(values[i]);
  kernels.upload(to.data(), converted.data(), to.bytes());
}

template <class T>
Tensor from_values(std::span<const T> values, Shape shape, Placement placement) {
  if (element_count(shape) != static_cast<Index>(values.size())) {
    throw Error(fmt::format("[tensor] expected {} numbers for shape {}, received {}", element_count(shape),
                            to_string(shape), values.size()));
  }
  Tensor result(std::move(shape), placement);
  upload_as(result, values);
  return result;
}

}  // namespace

std::uint64_t allocation_count(Device device) { return allocations.at(static_cast<std::size_t>(device)); }

/// The bytes behind one or more handles, given back to their backend with the last of them.
struct Tensor::Storage {
  Storage(Device where, std::size_t size)
      : device(where), bytes(size), address(backend(where).allocate(size)) {
    ++allocations.at(static_cast<std::size_t>(where));
  }
  ~Storage() { backend(device).release(address, bytes); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  Device device;
  std::size_t bytes;
  void* address;
};

Tensor::Tensor(Shape shape, Placement placement)
    : shape_(std::move(shape)), size_(element_count(shape_)), placement_(placement) {
  if (size_ > std::numeric_limits<Index>::max() / static_cast<Index>(byte_size(placement.dtype))) {
    throw Error(fmt::format("[tensor] expected fewer than 2^63 bytes, received shape {} of {}",
                            to_string(shape_), to_string(placement.dtype)));
  }
  storage_ = std::make_shared<Storage>(placement.device, bytes());
  data_ = storage_->address;
}

Tensor Tensor::full(Shape shape, double value, Placement placement) {
  Tensor result(std::move(shape), placement);
  result.fill(value);
  return result;
}

Tensor Tensor::from(std::span<const double> values, Shape shape, Placement placement) {
  return from_values(values, std::move(shape), placement);
}

Tensor Tensor::from(std::span<const float> values, Shape shape, Placement placement) {
  return from_values(values, std::move(shape), placement);
}

Index Tensor::dim(Index axis) const {
  const Index at = axis < 0 ? axis + rank() : axis;
  if (at < 0 || at >= rank()) {
    throw Error(
        fmt::format("[tensor] expected an axis of shape {}, received axis {}", to_string(shape_), axis));
  }
  return shape_[static_cast<std::size_t>(at)];
}

template <class T>
T* Tensor::host() const {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
  const Placement wanted{std::is_same_v<T, float> ? Dtype::F32 : Dtype::F64, Device::Cpu};
  require_defined(*this, "host()");
  if (placement_ != wanted) {
    throw Error(fmt::format("[tensor] host() expected {}, received {}; copy it there with to()",
                            describe(wanted), describe(placement_)));
  }
  return static_cast<T*>(data_);
}
template float* Tensor::host<float>() const;
template double* Tensor::host<double>() const;

Tensor Tensor::reshaped(Shape shape) const {
  require_defined(*this, "reshaped()");
  if (element_count(shape) != size_) {
    throw Error(fmt::format("[tensor] reshaped() expected {} elements as in {}, received shape {}", size_,
                            to_string(shape_), to_string(shape)));
  }
  Tensor view = *this;
  view.shape_ = std::move(shape);
  return view;
}

Tensor Tensor::rows(Index begin, Index end) const {
  require_defined(*this, "rows()");
  if (rank() == 0 || begin < 0 || begin > end || end > shape_[0]) {
    throw Error(fmt::format(
        "[tensor] rows() expected 0 <= begin <= end <= the first extent of {}, received {} and {}",
        to_string(shape_), begin, end));
  }
  Tensor view = *this;
  view.shape_[0] = 1;
  const Index row = element_count(view.shape_);
  view.shape_[0] = end - begin;
  view.size_ = row * (end - begin);
  view.data_ = advance(data_, row * begin, dtype());
  return view;
}

Tensor Tensor::clone() const {
  require_defined(*this, "clone()");
  Tensor result(shape_, placement_);
  result.copy_from(*this);
  return result;
}

Tensor Tensor::to(Placement placement) const {
  require_defined(*this, "to()");
  if (placement == placement_) return *this;
  Tensor result(shape_, placement);
  result.copy_from(*this);
  return result;
}

void Tensor::copy_from(const Tensor& other) const {
  require_defined(*this, "copy_from()");
  require_defined(other, "copy_from()");
  if (shape_ != other.shape_) {
    throw Error(fmt::format("[tensor] copy_from() expected shape {}, received {}", to_string(shape_),
                            to_string(other.shape_)));
  }
  if (size_ == 0) return;
  if (device() != other.device() && dtype() != other.dtype()) {
    // Converted where it is, so that only the wanted bytes travel and every conversion is a kernel's.
    copy_from(other.to(dtype()));
  } else if (device() == other.device()) {
    Backend& kernels = backend(device());
    if (dtype() == other.dtype()) {
      kernels.copy(data_, other.data_, bytes());
    } else {
      kernels.cast(other.dtype(), other.data_, dtype(), data_, size_);
    }
  } else if (other.device() == Device::Cpu) {
    backend(device()).upload(data_, other.data_, bytes());
  } else if (device() == Device::Cpu) {
    backend(other.device()).download(data_, other.data_, bytes());
  } else {
    copy_from(other.to(Device::Cpu));
  }
}

void Tensor::fill(double value) const {
  require_defined(*this, "fill()");
  backend(device()).fill(dtype(), data_, value, size_);
}

std::vector<double> Tensor::values() const {
  require_defined(*this, "values()");
  std::vector<double> result(static_cast<std::size_t>(size_));
  if (size_ == 0) return result;
  if (dtype() == Dtype::F64) {
    backend(device()).download(result.data(), data_, bytes());
    return result;
  }
  std::vector<float> narrow(result.size());
  backend(device()).download(narrow.data(), data_, bytes());
  result.assign(narrow.begin(), narrow.end());
  return result;
}

double Tensor::item() const {
  require_defined(*this, "item()");
  if (size_ != 1)
    throw Error(fmt::format("[tensor] item() expected one element, received shape {}", to_string(shape_)));
  return values()[0];
}

}  // namespace basin
