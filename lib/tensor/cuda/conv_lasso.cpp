#include "tensor/cuda/kernels/conv_lasso.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tensor/cuda/cuda_solvers.h"
#include "tensor/cuda/kernels/elementwise.h"
#include "tensor/cuda/reduction.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

/// Where the arrays of a problem lie in its room, in bytes; each begins where a pack may.
struct Room {
  explicit Room(const ConvLassoProblem& problem) {
    const auto next = [&](Index count) {
      const std::size_t place = end;
      end += (static_cast<std::size_t>(count) * byte_size(problem.dtype) + 255) / 256 * 256;
      return place;
    };
    codes = next(problem.code_size());
    previous = next(problem.code_size());
    correlations = next(problem.code_size());
    target = next(problem.target != nullptr ? problem.code_size() : 0);
    image = next(problem.image_size());
    previous_image = next(problem.image_size());
    residual = next(problem.image_size());
    y = next(problem.image_size());
  }
  std::size_t codes, previous, correlations, target, image, previous_image, residual, y, end = 0;
};

/// (F)ISTA by two convolutions a move: D u comes from D z and D previous by linearity. t, momenta and sums
/// stay on the device; steps and measure wait. Images that moves leave out make room for the others.
template <class T>
class CudaConvLasso final : public ConvLassoSolver {
 public:
  CudaConvLasso(CudaBackend& kernels, const ConvLassoProblem& problem, void* room)
      : kernels_(kernels),
        problem_(problem),
        code_(problem.code_size() / std::max<Index>(problem.images, 1)),
        pixels_(problem.image_size() / std::max<Index>(problem.images, 1)),
        images_(kernels.pool(), static_cast<std::size_t>(problem.images)),
        measured_(kernels.pool(), static_cast<std::size_t>(problem.images)) {
    const Room places(problem);
    const auto at = [&](std::size_t place) {
      return reinterpret_cast<T*>(static_cast<std::byte*>(room) + place);
    };
    codes_ = at(places.codes);
    previous_ = at(places.previous);
    correlations_ = at(places.correlations);
    target_ = problem.target != nullptr ? at(places.target) : nullptr;
    image_ = at(places.image);
    previous_image_ = at(places.previous_image);
    residual_ = at(places.residual);
    y_ = at(places.y);
    for (Index n = 0; n < problem.images; ++n) slots_.push_back(n);
    const std::vector<ConvLassoImage> fresh(slots_.size(), ConvLassoImage{1.0, 0.0, 0.0, 0.0});
    kernels.upload(images_.data(), fresh.data(), fresh.size() * sizeof(ConvLassoImage));
    copy(y_, problem.y, problem.image_size());
    if (target_ != nullptr) copy(target_, problem.target, problem.code_size());
    if (problem.start != nullptr) {
      copy(codes_, problem.start, problem.code_size());
      convolve(ConvProduct::Input, image_);
    } else {
      kernels.fill(problem.dtype, codes_, 0.0, problem.code_size());
      kernels.fill(problem.dtype, image_, 0.0, problem.image_size());
    }
    copy(previous_, codes_, problem.code_size());
    copy(previous_image_, image_, problem.image_size());
  }

  void move(std::span<const Index> which) override {
    keep_only(which);
    correlate(images_.data());
    ConvLassoMove<T> move{};
    move.z = codes_;
    move.previous = previous_;
    move.correlations = correlations_;
    move.target = target_;
    move.images = images_.data();
    move.size = code_;
    move.weight = number(problem_.weight);
    move.attraction = number(problem_.attraction);
    move.step = number(problem_.step);
    move.threshold = number(problem_.step * problem_.lambda);
    move.non_negative = problem_.non_negative;
    move.accelerate = problem_.accelerate;
    move.restart = problem_.restart;
    move.first = !moved_;
    launch_reduction(kernels_.runtime(), kernels_.pool(), "conv_lasso", {count(), code_, Neighbours::Items},
                     move);
    std::swap(codes_, previous_);
    std::swap(image_, previous_image_);
    convolve(ConvProduct::Input, image_);
    moved_ = true;
  }

  void steps(std::span<const Index> which, std::span<ConvLassoSums> sums) override {
    std::vector<ConvLassoImage> images(slots_.size());
    kernels_.download(images.data(), images_.data(), images.size() * sizeof(ConvLassoImage));
    for (std::size_t i = 0; i < which.size(); ++i) {
      const ConvLassoImage& own = images[static_cast<std::size_t>(slot(which[i]))];
      sums[i].move = own.move;
      sums[i].length = own.length;
    }
  }

  void measure(std::span<const Index> which, std::span<ConvLassoSums> sums) override {
    correlate(nullptr);
    launch_reduction(
        kernels_.runtime(), kernels_.pool(), "conv_lasso", {count(), code_, Neighbours::Items},
        ConvLassoMeasure<T>{codes_, correlations_, target_, measured_.data(), code_, number(problem_.weight),
                            number(problem_.attraction), problem_.non_negative});
    launch_reduction(kernels_.runtime(), kernels_.pool(), "conv_lasso", {count(), pixels_, Neighbours::Items},
                     ConvLassoResidualNorm<T>{residual_, measured_.data(), pixels_});
    std::vector<ConvLassoMeasured> all(slots_.size());
    kernels_.download(all.data(), measured_.data(), all.size() * sizeof(ConvLassoMeasured));
    for (std::size_t i = 0; i < which.size(); ++i) {
      const ConvLassoMeasured& own = all[static_cast<std::size_t>(slot(which[i]))];
      sums[i].residual = own.residual;
      sums[i].product = own.product;
      sums[i].deviation = own.deviation;
      sums[i].along = own.along;
      sums[i].norm = own.norm;
      sums[i].largest = own.largest;
    }
  }

  void read(Index image, void* z) override { copy(z, codes_ + slot(image) * code_, code_); }

 private:
  T number(double x) const { return static_cast<T>(x); }
  Index count() const { return static_cast<Index>(slots_.size()); }
  void copy(void* to, const void* from, Index n) {
    kernels_.copy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  }
  Index slot(Index image) const {
    return static_cast<Index>(std::find(slots_.begin(), slots_.end(), image) - slots_.begin());
  }

  /// D of the codes (Input), or D' of the residual (Output).
  void convolve(ConvProduct product, T* result) {
    ConvCall call{.dtype = problem_.dtype, .product = product, .images = count()};
    call.in_channels = problem_.channels;
    call.out_channels = problem_.filters;
    call.height = problem_.image_height();
    call.width = problem_.image_width();
    call.filter_height = problem_.filter_height;
    call.filter_width = problem_.filter_width;
    call.padding_y = problem_.padding_y;
    call.padding_x = problem_.padding_x;
    call.w = problem_.w;
    call.x = product == ConvProduct::Output ? residual_ : nullptr;
    call.y = product == ConvProduct::Input ? codes_ : nullptr;
    call.result = result;
    kernels_.convolve(call);
  }

  /// D'(y - D u), with the momenta given or of z itself.
  void correlate(const ConvLassoImage* momenta) {
    launch(kernels_.runtime(), "conv_lasso", count() * pixels_,
           ConvLassoResidual<T>{y_, image_, previous_image_, residual_, momenta, pixels_});
    convolve(ConvProduct::Output, correlations_);
  }

  /// The last images take the places of those that are not among `which`.
  void keep_only(std::span<const Index> which) {
    if (which.size() == slots_.size()) return;
    std::vector<bool> wanted(static_cast<std::size_t>(problem_.images), false);
    for (const Index image : which) wanted[static_cast<std::size_t>(image)] = true;
    for (std::size_t to = 0; to < slots_.size();) {
      if (wanted[static_cast<std::size_t>(slots_[to])]) {
        ++to;
        continue;
      }
      const std::size_t from = slots_.size() - 1;
      if (from != to && wanted[static_cast<std::size_t>(slots_[from])]) {
        take_place(static_cast<Index>(from), static_cast<Index>(to));
        slots_[to++] = slots_[from];
      }
      slots_.pop_back();
    }
  }

  void take_place(Index from, Index to) {
    for (T* array : {codes_, previous_, target_}) {
      if (array != nullptr) copy(array + to * code_, array + from * code_, code_);
    }
    for (T* array : {image_, previous_image_, y_})
      copy(array + to * pixels_, array + from * pixels_, pixels_);
    kernels_.copy(images_.data() + to, images_.data() + from, sizeof(ConvLassoImage));
  }

  CudaBackend& kernels_;
  ConvLassoProblem problem_;
  Index code_, pixels_;  // numbers of an image
  T *codes_, *previous_, *correlations_, *target_, *image_, *previous_image_, *residual_, *y_;
  Scratch<ConvLassoImage> images_;
  Scratch<ConvLassoMeasured> measured_;
  std::vector<Index> slots_;  // which image lies where
  bool moved_ = false;
};

}  // namespace

std::size_t CudaSolvers::conv_lasso_room(const ConvLassoProblem& problem) const { return Room(problem).end; }

std::unique_ptr<ConvLassoSolver> CudaSolvers::conv_lasso(const ConvLassoProblem& problem, void* room) {
  if (problem.dtype == Dtype::F32) return std::make_unique<CudaConvLasso<float>>(kernels_, problem, room);
  return std::make_unique<CudaConvLasso<double>>(kernels_, problem, room);
}

}  // namespace basin
