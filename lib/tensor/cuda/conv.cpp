#include "tensor/cuda/kernels/conv.h"

#include <algorithm>

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

/// Bytes of the columns that a product takes at a time: enough images to fill a device.
constexpr Index kColumnBytes = Index{256} << 20;

/// One group of a call as products of matrices: filters [k, c u v], columns [c u v, n i j], outputs [k, n i
/// j]. Filters lie in w as they are; the others are made, some images at a time, in memory of the pool.
template <class T>
class GroupedConv {
 public:
  GroupedConv(CudaBackend& backend, const ConvCall& call)
      : backend_(backend),
        call_(call),
        sizes_(call),
        outputs_(call.out_channels / call.groups),
        taps_(sizes_.channels * call.filter_height * call.filter_width),
        out_(sizes_.out()),
        together_(std::clamp<Index>(
            kColumnBytes / (static_cast<Index>(sizeof(T)) * std::max<Index>(taps_ * out_, 1)), 1,
            std::max<Index>(call.images, 1))),
        columns_(backend.pool(), static_cast<std::size_t>(taps_ * out_ * together_)),
        products_(backend.pool(), static_cast<std::size_t>(outputs_ * out_ * together_)) {}

  void run() {
    for (Index group = 0; group < call_.groups; ++group) {
      for (Index first = 0; first < call_.images; first += together_) {
        sizes_.images = std::min(together_, call_.images - first);
        if (call_.product == ConvProduct::Output) output(group, first);
        if (call_.product == ConvProduct::Input) input(group, first);
        if (call_.product == ConvProduct::Filter) filter(group, first);
      }
    }
  }

 private:
  Index all() const { return sizes_.images * out_; }
  T* x(const void* of, Index group, Index first) const {
    return static_cast<T*>(const_cast<void*>(of)) + first * sizes_.image_stride +
           group * sizes_.channels * sizes_.height * sizes_.width;
  }
  T* w(const void* of, Index group) const {
    return static_cast<T*>(const_cast<void*>(of)) + group * outputs_ * taps_;
  }
  T* y(const void* of, Index group, Index first) const {
    return static_cast<T*>(const_cast<void*>(of)) + (first * call_.out_channels + group * outputs_) * out_;
  }

  void to_columns(Index group, Index first) {
    launch(backend_.runtime(), "convolve", sizes_.channels * all(),
           ImagesToColumns<T>{sizes_, x(call_.x, group, first), columns_.data()});
  }
  /// outputs [k, n, ij] of y [n, k, ij], and back.
  void from_y(Index group, Index first) {
    launch(backend_.runtime(), "convolve", outputs_ * all(),
           ExchangeAxes<T>{y(call_.y, group, first), products_.data(), sizes_.images, out_,
                           call_.out_channels * out_, all()});
  }
  void to_y(Index group, Index first) {
    launch(backend_.runtime(), "convolve", outputs_ * all(),
           ExchangeAxes<T>{products_.data(), y(call_.result, group, first), outputs_, out_, all(),
                           call_.out_channels * out_});
  }

  void output(Index group, Index first) {
    to_columns(group, first);
    GemmCall gemm{.dtype = call_.dtype, .m = outputs_, .n = all(), .k = taps_};
    gemm.a = w(call_.w, group);
    gemm.lda = taps_;
    gemm.b = columns_.data();
    gemm.ldb = all();
    gemm.c = products_.data();
    gemm.ldc = all();
    backend_.gemm(gemm);
    to_y(group, first);
  }

  void input(Index group, Index first) {
    from_y(group, first);
    GemmCall gemm{.dtype = call_.dtype, .transpose_a = true, .m = taps_, .n = all(), .k = outputs_};
    gemm.a = w(call_.w, group);
    gemm.lda = taps_;
    gemm.b = products_.data();
    gemm.ldb = all();
    gemm.c = columns_.data();
    gemm.ldc = all();
    backend_.gemm(gemm);
    launch(backend_.runtime(), "convolve", sizes_.images * sizes_.channels * sizes_.height * sizes_.width,
           ColumnsToImages<T>{sizes_, columns_.data(), x(call_.result, group, first)});
  }

  void filter(Index group, Index first) {
    to_columns(group, first);
    from_y(group, first);
    GemmCall gemm{.dtype = call_.dtype, .transpose_b = true, .m = outputs_, .n = taps_, .k = all()};
    gemm.a = products_.data();
    gemm.lda = all();
    gemm.b = columns_.data();
    gemm.ldb = all();
    gemm.beta = first == 0 ? 0.0 : 1.0;
    gemm.c = w(call_.result, group);
    gemm.ldc = taps_;
    backend_.gemm(gemm);
  }

  CudaBackend& backend_;
  const ConvCall& call_;
  ConvSizes sizes_;
  Index outputs_, taps_, out_, together_;
  Scratch<T> columns_, products_;
};

}  // namespace

void CudaBackend::convolve(const ConvCall& call) {
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    if (call.images > 0) return GroupedConv<T>(*this, call).run();
    if (call.product == ConvProduct::Filter) fill(call.dtype, call.result, 0.0, call.w_size());
  });
}

}  // namespace basin
