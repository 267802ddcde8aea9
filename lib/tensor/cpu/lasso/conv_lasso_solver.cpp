#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "tensor/cpu/cpu_solvers.h"
#include "tensor/cpu/lasso/conv_lasso.h"
#include "tensor/cpu/lasso/lasso.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

/// Where the arrays of a call lie in its room, in bytes; each begins with a cache line.
struct Places {
  explicit Places(const ConvLassoCall& call) {
    const auto next = [this](Index count, std::size_t size) {
      const std::size_t place = end;
      end += (static_cast<std::size_t>(count) * size + 63) / 64 * 64;
      return place;
    };
    const std::size_t size = byte_size(call.dtype);
    codes = next(call.rows_size(), size);
    previous = next(call.rows_size(), size);
    target = next(call.target != nullptr ? call.rows_size() : 0, size);
    image = next(call.image_size(), size);
    previous_image = next(call.image_size(), size);
    occupancy = next(call.occupancy_floats(), sizeof(float));
  }
  std::size_t codes, previous, target, image, previous_image, occupancy, end = 0;
};

ConvLassoCall call_of(const ConvLassoProblem& problem) {
  ConvLassoCall call;
  static_cast<ConvLassoProblem&>(call) = problem;
  return call;
}

class CpuConvLasso final : public ConvLassoSolver {
 public:
  CpuConvLasso(CpuBackend& kernels, const ConvLassoProblem& problem, void* room)
      : kernels_(kernels), call_(call_of(problem)), images_(static_cast<std::size_t>(problem.images)) {
    const Places places(call_);
    kernels_.fill(Dtype::F32, room, 0.0, static_cast<Index>(places.end / sizeof(float)));
    const auto at = [&](std::size_t place) { return static_cast<std::byte*>(room) + place; };
    call_.codes = at(places.codes);
    call_.previous = at(places.previous);
    call_.image = at(places.image);
    call_.previous_image = at(places.previous_image);
    call_.occupancy = at(places.occupancy);
    if (problem.target != nullptr) {
      write(problem.target, at(places.target));
      call_.target_rows = at(places.target);
    }
    if (problem.start == nullptr) return;
    write(problem.start, call_.codes);
    std::vector<Index> all(static_cast<std::size_t>(call_.images));
    for (std::size_t n = 0; n < all.size(); ++n) all[n] = static_cast<Index>(n);
    run(ConvLassoStage::Synthesis, all, {}, {});
  }

  void move(std::span<const Index> which) override {
    momentum_.assign(which.size(), 0.0);
    sums_.resize(which.size());
    for (std::size_t i = 0; i < which.size() && call_.accelerate && moved_; ++i) {
      const double t = images_[static_cast<std::size_t>(which[i])].t;
      momentum_[i] = (t - 1.0) / next_t(t);
    }
    run(ConvLassoStage::Step, which, momentum_, sums_);
    std::swap(call_.codes, call_.previous);
    std::swap(call_.image, call_.previous_image);
    for (std::size_t i = 0; i < which.size(); ++i) {
      Image& image = images_[static_cast<std::size_t>(which[i])];
      image.t = (call_.restart && sums_[i].uphill > 0.0) || !moved_ ? 1.0 : next_t(image.t);
      image.move = sums_[i].move;
      image.length = std::max(image.length, sums_[i].length);
    }
    moved_ = true;
  }

  void steps(std::span<const Index> which, std::span<ConvLassoSums> sums) override {
    for (std::size_t i = 0; i < which.size(); ++i) {
      const Image& image = images_[static_cast<std::size_t>(which[i])];
      sums[i].move = image.move;
      sums[i].length = image.length;
    }
  }

  void measure(std::span<const Index> which, std::span<ConvLassoSums> sums) override {
    run(ConvLassoStage::Measure, which, {}, sums);
  }

  void read(Index image, void* z) override {
    for (Index k = 0; k < call_.filters; ++k) {
      for (Index row = 0; row < call_.height; ++row)
        std::memcpy(static_cast<std::byte*>(z) + offset((k * call_.height + row) * call_.width),
                    static_cast<const std::byte*>(call_.codes) + offset(place(image, k, row)),
                    offset(call_.width));
    }
  }

 private:
  std::size_t offset(Index count) const { return static_cast<std::size_t>(count) * byte_size(call_.dtype); }

  /// Where code (k, row, 0) of an image lies in rows.
  Index place(Index image, Index k, Index row) const {
    return (image * (call_.height + 2 * call_.border_y()) + row + call_.border_y()) * call_.row_size() +
           k * call_.pitch() + call_.border_x();
  }

  /// Codes [images, filters, height, width] into rows that are zero.
  void write(const void* z, void* rows) const {
    parallel_ranges(call_.images * call_.height, call_.filters * call_.width, 1, [&](Index begin, Index end) {
      for (Index item = begin; item < end; ++item) {
        const Index image = item / call_.height, row = item % call_.height;
        for (Index k = 0; k < call_.filters; ++k)
          std::memcpy(static_cast<std::byte*>(rows) + offset(place(image, k, row)),
                      static_cast<const std::byte*>(z) +
                          offset(((image * call_.filters + k) * call_.height + row) * call_.width),
                      offset(call_.width));
      }
    });
  }

  void run(ConvLassoStage stage, std::span<const Index> which, std::span<const double> momentum,
           std::span<ConvLassoSums> sums) {
    call_.stage = stage;
    call_.count = static_cast<Index>(which.size());
    call_.which = which.data();
    call_.momentum = momentum.data();
    call_.sums = sums.data();
    conv_lasso(kernels_, call_);
  }

  /// Of one image: Nesterov's t, and what its moves came to.
  struct Image {
    double t = 1.0, move = 0.0, length = 0.0;
  };

  CpuBackend& kernels_;
  ConvLassoCall call_;
  std::vector<Image> images_;
  std::vector<double> momentum_;
  std::vector<ConvLassoSums> sums_;
  bool moved_ = false;
};

}  // namespace

std::size_t CpuSolvers::conv_lasso_room(const ConvLassoProblem& problem) const {
  return Places(call_of(problem)).end;
}

std::unique_ptr<ConvLassoSolver> CpuSolvers::conv_lasso(const ConvLassoProblem& problem, void* room) {
  return std::make_unique<CpuConvLasso>(kernels_, problem, room);
}

}  // namespace basin
