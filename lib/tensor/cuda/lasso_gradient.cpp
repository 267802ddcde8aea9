#include <algorithm>
#include <utility>
#include <vector>

#include "tensor/cuda/cuda_solvers.h"
#include "tensor/cuda/kernels/lasso.h"
#include "tensor/cuda/reduction.h"
#include "tensor/cuda/typed.h"
#include "tensor/error.h"

namespace basin {

using namespace cuda;

namespace {

/// Samples that are moved together: as many as this memory holds rows of.
constexpr Index kSetBytes = Index{1} << 30;

/// (F)ISTA on some samples at a time: a product with the Gram matrix and one kernel a step. The host waits at
/// the looks at the gap alone, where rows of samples that are found make room for those that are not.
template <class T>
class LassoSet {
 public:
  LassoSet(CudaBackend& kernels, const LassoCall& call, Index most)
      : kernels_(kernels),
        call_(call),
        numbers_(kernels.pool(), static_cast<std::size_t>(4 * most * call.codes)),
        rows_(kernels.pool(), static_cast<std::size_t>(most)),
        moves_(kernels.pool(), static_cast<std::size_t>(most)) {
    const Index size = most * call.codes;
    T* numbers = numbers_.data();
    all_.z = numbers;
    all_.before = numbers + size;
    all_.product = numbers + 2 * size;
    all_.product_before = numbers + 3 * size;
    all_.linear = static_cast<const T*>(call.linear);
    all_.constant = static_cast<const T*>(call.constant);
    all_.solution = static_cast<T*>(call.z);
    all_.gap = call.gap;
    all_.steps = call.steps;
    all_.rows = rows_.data();
    all_.codes = call.codes;
    all_.lambda = static_cast<T>(call.lambda);
    all_.step = static_cast<T>(call.step);
    all_.tolerance = call.tolerance;
    all_.non_negative = call.non_negative;
    all_.momentum = call.momentum;
    all_.restart = call.restart;
  }

  void solve(Index first, Index count) {
    used_ = count;
    each(EnterRows<T>{all_, first});
    for (Index step = 0; used_ > 0; ++step) {
      multiply();
      if (step == 0)
        kernels_.copy(all_.product_before, all_.product,
                      static_cast<std::size_t>(used_ * call_.codes) * sizeof(T));
      const bool last = step >= call_.max_steps;
      if (last || step % call_.check_every == 0) {
        over_rows(MeasureRows<T>{all_, step, last});
        each(LeaveRows<T>{all_, step});
        if (last) return;
        if (call_.tolerance >= 0.0 && close_gaps() == 0) return;
      }
      over_rows(MoveRows<T>{all_, step == 0});
      std::swap(all_.z, all_.before);
      std::swap(all_.product, all_.product_before);
    }
  }

 private:
  template <class Kernel>
  void each(const Kernel& kernel) {
    launch(kernels_.runtime(), "lasso_gradient", used_ * call_.codes, kernel);
  }
  template <class Reduction>
  void over_rows(const Reduction& reduction) {
    launch_reduction(kernels_.runtime(), kernels_.pool(), "lasso_gradient",
                     {used_, call_.codes, Neighbours::Items}, reduction);
  }

  void multiply() {
    GemmCall product{.dtype = call_.dtype, .m = used_, .n = call_.codes, .k = call_.codes};
    product.a = all_.z;
    product.lda = call_.codes;
    product.b = call_.gram;
    product.ldb = call_.codes;
    product.c = all_.product;
    product.ldc = call_.codes;
    kernels_.gemm(product);
  }

  /// Waits. Returns how many samples are still wanted; when they are half of the rows at most, these make
  /// room.
  Index close_gaps() {
    std::vector<LassoRow> rows(static_cast<std::size_t>(used_));
    kernels_.download(rows.data(), all_.rows, rows.size() * sizeof(LassoRow));
    const auto wanted =
        std::count_if(rows.begin(), rows.end(), [](const LassoRow& row) { return row.found == 0; });
    if (wanted == 0 || 2 * wanted > used_) return wanted;
    std::vector<RowMove> moves;
    for (Index to = 0, from = used_ - 1; to < wanted; ++to) {
      if (rows[static_cast<std::size_t>(to)].found == 0) continue;
      while (rows[static_cast<std::size_t>(from)].found != 0) --from;
      moves.push_back({from--, to});
    }
    used_ = wanted;
    if (moves.empty()) return wanted;
    kernels_.upload(moves_.data(), moves.data(), moves.size() * sizeof(RowMove));
    launch(kernels_.runtime(), "lasso_gradient", static_cast<Index>(moves.size()) * call_.codes,
           CloseGaps<T>{all_, moves_.data()});
    return wanted;
  }

  CudaBackend& kernels_;
  const LassoCall& call_;
  Scratch<T> numbers_;
  Scratch<LassoRow> rows_;
  Scratch<RowMove> moves_;
  LassoRows<T> all_{};
  Index used_ = 0;
};

}  // namespace

void CudaSolvers::lasso_descent(const LassoCall&) {
  throw Error("[cuda] coordinate descent expected a device that has it, received a GPU; use fista");
}

void CudaSolvers::lasso_gradient(const LassoCall& call) {
  if (call.rows <= 0) return;
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    const Index most = std::clamp<Index>(
        kSetBytes / (4 * static_cast<Index>(sizeof(T)) * std::max<Index>(call.codes, 1)), 1, call.rows);
    LassoSet<T> set(kernels_, call, most);
    for (Index first = 0; first < call.rows; first += most)
      set.solve(first, std::min(most, call.rows - first));
  });
}

}  // namespace basin
