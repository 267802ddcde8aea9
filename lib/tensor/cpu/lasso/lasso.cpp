#include "tensor/cpu/lasso/lasso.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "tensor/cpu/cpu_solvers.h"
#include "tensor/cpu/workspace.h"

namespace basin {
namespace {

/// Work memory that begins as zeros.
template <class T>
class Zeroed : public Workspace<T> {
 public:
  Zeroed(CpuBackend& backend, Index count) : Workspace<T>(backend, count) {
    std::fill_n(this->data(), count, T{0});
  }
  T* at(Index i) const { return this->data() + i; }
  T& operator[](Index i) const { return *at(i); }
};

Index padded(Index codes) { return (codes + kLassoPadding - 1) / kLassoPadding * kLassoPadding; }

/// The coordinates z_i sqrt(H_ii), in which H has ones on its diagonal, in the precision T. Atoms of (nearly)
/// no length are left out: their codes are 0.
template <class T>
struct UnitDiagonal {
  template <class From>
  UnitDiagonal(CpuBackend& backend, const LassoCall& call, const From* h)
      : width(padded(call.codes)),
        shrink(backend, width),
        stretch(backend, width),
        threshold(backend, width),
        inverse_threshold(backend, width),
        gram(backend, call.codes * width) {
    From largest = 0;
    for (Index i = 0; i < call.codes; ++i) largest = std::max(largest, h[i * call.codes + i]);
    for (Index i = 0; i < width; ++i) {
      const auto diagonal = static_cast<T>(i < call.codes ? h[i * call.codes + i] : From{0});
      const bool used = static_cast<double>(diagonal) > 1e-12 * static_cast<double>(largest);
      shrink[i] = used ? 1 / std::sqrt(diagonal) : T{0};
      stretch[i] = used ? std::sqrt(diagonal) : T{0};
      threshold[i] = used ? static_cast<T>(call.lambda) * shrink[i] : T{1};
      inverse_threshold[i] = used ? 1 / threshold[i] : T{1};
    }
    for (Index i = 0; i < call.codes; ++i) {
      for (Index j = 0; j < call.codes; ++j)
        gram[i * width + j] = static_cast<T>(h[i * call.codes + j]) * shrink[i] * shrink[j];
    }
    lasso = {gram.at(0),        threshold.at(0), inverse_threshold.at(0), width,
             call.non_negative, call.tolerance,  call.max_steps};
  }
  Index width;
  Zeroed<T> shrink, stretch, threshold, inverse_threshold, gram;
  ScaledLasso<T> lasso;
};

/// Gaps that coordinate descent can still tell in f32; below, f64 takes over.
constexpr double kFinest = 3e-5;

/// Samples that one thread takes at a time: few enough to share the work, enough to keep threads out of each
/// other's cache lines.
constexpr Index kSamples = 16;

/// The samples of a call, coordinate descent in precision T on codes in precision From. Adds to steps.
template <class T, class From>
void descend(CpuBackend& backend, const LassoCall& call, const UnitDiagonal<T>& unit) {
  const Index width = unit.width;
  const int threads = static_cast<int>(std::clamp<Index>(call.rows / kSamples, 1, omp_get_max_threads()));
  const Zeroed<T> work(backend, 3 * width * threads);
#pragma omp parallel for schedule(dynamic, kSamples) num_threads(threads)
  for (Index n = 0; n < call.rows; ++n) {
    T* z = work.at(3 * width * omp_get_thread_num());
    T* linear = z + width;
    auto* codes = static_cast<From*>(call.z) + n * call.codes;
    const auto* q = static_cast<const From*>(call.linear) + n * call.codes;
    for (Index i = 0; i < call.codes; ++i) {
      z[i] = static_cast<T>(codes[i]) * unit.stretch[i];
      linear[i] = static_cast<T>(q[i]) * unit.shrink[i];
      if (call.non_negative) z[i] = std::max(z[i], T{0});
    }
    ScaledLasso<T> lasso = unit.lasso;
    lasso.max_steps -= static_cast<Index>(call.steps[n]);
    const auto constant = static_cast<double>(static_cast<const From*>(call.constant)[n]);
    const LassoOutcome outcome = lasso_descend(lasso, {z, linear + width, linear, constant});
    for (Index i = 0; i < call.codes; ++i) codes[i] = static_cast<From>(z[i] * unit.shrink[i]);
    call.gap[n] = outcome.gap;
    call.steps[n] += static_cast<double>(outcome.steps);
  }
}

/// Samples [begin, end) by (F)ISTA, `room` of them at a time; a sample that has converged makes room for the
/// next, so that products stay full. Buffers hold one row of `width` a sample.
template <class T>
class GradientSet {
 public:
  static Index size(Index room, Index width) { return 6 * room * width; }
  /// `rows` are size() numbers, 0 at first.
  GradientSet(CpuBackend& backend, const LassoCall& call, const ScaledLasso<T>& lasso, Index room, T* rows)
      : backend_(backend),
        call_(call),
        lasso_(lasso),
        room_(room),
        rows_(rows),
        slots_(static_cast<std::size_t>(room)) {}

  void solve(Index begin, Index end) {
    Index next = begin, used = 0;
    while (next < end || used > 0) {
      for (; used < room_ && next < end; ++used) enter(used, next++);
      multiply(used);
      for (Index s = 0; s < used; ++s) {
        Slot& slot = slots_[static_cast<std::size_t>(s)];
        if (slot.steps == 0) std::copy_n(row(kProduct, s), lasso_.width, row(kProductBefore, s));
        if (finished(slot, s)) {
          leave(slot, s);
        } else {
          move(slot, s);
        }
      }
      now_ = 1 - now_;
      used = close_gaps(used);
    }
  }

 private:
  // z and H z now and before change places after every move.
  enum Buffer { kZ, kZBefore, kProduct, kProductBefore, kLinear, kGradient };
  struct Slot {
    Index sample = -1, steps = 0;
    double t = 1.0;
  };

  T* row(Buffer buffer, Index s) const {
    Index which = buffer;
    if (buffer <= kProductBefore && now_ == 1) which ^= 1;
    return rows_ + (which * room_ + s) * lasso_.width;
  }

  void enter(Index s, Index sample) {
    slots_[static_cast<std::size_t>(s)] = {sample, 0, 1.0};
    const auto* z = static_cast<const T*>(call_.z) + sample * call_.codes;
    std::copy_n(z, call_.codes, row(kZ, s));
    std::copy_n(z, call_.codes, row(kZBefore, s));
    std::copy_n(static_cast<const T*>(call_.linear) + sample * call_.codes, call_.codes, row(kLinear, s));
  }

  void multiply(Index used) const {
    GemmCall product{.dtype = call_.dtype, .m = used, .n = call_.codes, .k = call_.codes};
    product.a = row(kZ, 0);
    product.lda = lasso_.width;
    product.b = call_.gram;
    product.ldb = call_.codes;
    product.c = row(kProduct, 0);
    product.ldc = lasso_.width;
    backend_.gemm(product);
  }

  bool finished(const Slot& slot, Index s) const {
    const bool last = slot.steps >= call_.max_steps;
    if (!last && slot.steps % call_.check_every != 0) return false;
    T* gradient = row(kGradient, s);
    const T* product = row(kProduct, s);
    const T* linear = row(kLinear, s);
    for (Index i = 0; i < lasso_.width; ++i) gradient[i] = product[i] - linear[i];
    const double constant = static_cast<double>(static_cast<const T*>(call_.constant)[slot.sample]);
    const double gap = lasso_gap(lasso_sums(lasso_, row(kZ, s), gradient, linear), constant);
    call_.gap[slot.sample] = gap;
    return last || !(gap > call_.tolerance);
  }

  void leave(Slot& slot, Index s) const {
    std::copy_n(row(kZ, s), call_.codes, static_cast<T*>(call_.z) + slot.sample * call_.codes);
    call_.steps[slot.sample] = static_cast<double>(slot.steps);
    slot.sample = -1;
  }

  void move(Slot& slot, Index s) const {
    const double next = call_.momentum && slot.steps > 0 ? next_t(slot.t) : 1.0;
    const GradientRow<T> row_of{row(kZ, s),
                                row(kZBefore, s),
                                row(kProduct, s),
                                row(kProductBefore, s),
                                row(kLinear, s),
                                static_cast<T>((slot.t - 1.0) / next),
                                static_cast<T>(call_.step)};
    const T uphill = lasso_move(lasso_, row_of);
    slot.t = call_.restart && uphill > T{0} ? 1.0 : next;
    ++slot.steps;
  }

  /// Rows from the end fill those of samples that left; returns how many are used.
  Index close_gaps(Index used) {
    for (Index s = 0; s < used; ++s) {
      if (slots_[static_cast<std::size_t>(s)].sample >= 0) continue;
      while (used > s + 1 && slots_[static_cast<std::size_t>(used - 1)].sample < 0) --used;
      --used;
      if (used <= s) continue;
      slots_[static_cast<std::size_t>(s)] = slots_[static_cast<std::size_t>(used)];
      for (const Buffer buffer : {kZ, kZBefore, kProductBefore, kLinear})
        std::copy_n(row(buffer, used), lasso_.width, row(buffer, s));
    }
    return used;
  }

  CpuBackend& backend_;
  const LassoCall& call_;
  const ScaledLasso<T>& lasso_;
  Index room_;
  T* rows_;
  std::vector<Slot> slots_;
  int now_ = 0;
};

template <class T>
void descend_gradient(CpuBackend& backend, const LassoCall& call) {
  const Index width = padded(call.codes);
  const Zeroed<T> threshold(backend, width), inverse_threshold(backend, width);
  for (Index i = 0; i < width; ++i) {
    threshold[i] = i < call.codes ? static_cast<T>(call.lambda) : T{1};
    inverse_threshold[i] = 1 / threshold[i];
  }
  const ScaledLasso<T> lasso{nullptr,           threshold.at(0), inverse_threshold.at(0), width,
                             call.non_negative, call.tolerance,  call.max_steps};
  // Samples whose five rows stay in half a megabyte of second-level cache, and enough of them that a product
  // is worth its name.
  const Index room =
      std::clamp<Index>((Index{1} << 19) / (5 * width * static_cast<Index>(sizeof(T))), 16, 256);
  const Index threads = omp_get_max_threads();
  const Index share =
      std::max(std::min(room, (call.rows + threads - 1) / threads), call.rows / (8 * threads));
  const Index tasks = (call.rows + share - 1) / std::max<Index>(share, 1);
  const int used = static_cast<int>(std::clamp<Index>(tasks, 1, threads));
  const Index each = GradientSet<T>::size(room, width);
  const Zeroed<T> rows(backend, each * used);
#pragma omp parallel for schedule(dynamic, 1) num_threads(used)
  for (Index task = 0; task < tasks; ++task) {
    const Index begin = task * share, end = std::min(call.rows, begin + share);
    GradientSet<T>(backend, call, lasso, room, rows.at(each * omp_get_thread_num())).solve(begin, end);
  }
}

}  // namespace

void CpuSolvers::lasso_descent(const LassoCall& call) {
  if (call.rows <= 0) return;
  std::fill_n(call.steps, call.rows, 0.0);
  if (call.dtype == Dtype::F64) {
    descend<double, double>(kernels_, call,
                            UnitDiagonal<double>(kernels_, call, static_cast<const double*>(call.gram)));
    return;
  }
  const auto* gram = static_cast<const float*>(call.gram);
  UnitDiagonal<float> coarse(kernels_, call, gram);
  coarse.lasso.tolerance = std::max(call.tolerance, kFinest);
  descend<float, float>(kernels_, call, coarse);
  if (call.tolerance < kFinest)
    descend<double, float>(kernels_, call, UnitDiagonal<double>(kernels_, call, gram));
}

void CpuSolvers::lasso_gradient(const LassoCall& call) {
  if (call.rows <= 0) return;
  call.dtype == Dtype::F32 ? descend_gradient<float>(kernels_, call)
                           : descend_gradient<double>(kernels_, call);
}

}  // namespace basin
