#include "tensor/cpu/lasso/lasso.h"
#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/lasso/lasso_descent.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A pass over the gradient costs the same memory traffic whether it adds one row of H or eight, and each lane
// finds the best coordinate of its own for nothing. So the best coordinates of up to eight lanes move at a
// time, one after the other (each sees the moves before it through the few entries of H between them), if
// their change is at least kShare of the largest. Against one coordinate a pass this takes a fifth more moves
// and a third to a half of the time; measured on codes of 0.4 to 18 % density.
constexpr int kMoves = 8;
constexpr double kShare = 0.4;

// Moves keep the gradient up to date, each with a rounding error: after so many it is computed anew, and
// before its word is taken for convergence after kTrusted.
constexpr Index kRenewed = 1024, kTrusted = 256;

// The low bits of a change hold the number of its vector, so that one maximum finds both.
constexpr int kNumberBits = 13;

template <class T>
LassoSums<T> sums_of(const ScaledLasso<T>& lasso, const T* z_of, const T* gradient, const T* linear_of) {
  const hn::ScalableTag<T> d;
  auto product = hn::Zero(d), linear = hn::Zero(d), norm = hn::Zero(d), dual = hn::Zero(d);
  for (std::size_t i = 0; i < static_cast<std::size_t>(lasso.width); i += hn::Lanes(d)) {
    const auto z = hn::Load(d, z_of + i), g = hn::Load(d, gradient + i);
    product = hn::MulAdd(z, g, product);
    linear = hn::MulAdd(z, hn::Load(d, linear_of + i), linear);
    norm = hn::MulAdd(hn::Abs(z), hn::Load(d, lasso.threshold + i), norm);
    const auto size = lasso.non_negative ? hn::Neg(g) : hn::Abs(g);
    dual = hn::Max(dual, hn::Mul(size, hn::Load(d, lasso.inverse_threshold + i)));
  }
  return {hn::GetLane(hn::SumOfLanes(d, product)), hn::GetLane(hn::SumOfLanes(d, linear)),
          hn::GetLane(hn::SumOfLanes(d, norm)), hn::GetLane(hn::MaxOfLanes(d, dual))};
}

LassoSums<float> sums_f32(const ScaledLasso<float>& lasso, const float* z, const float* gradient,
                          const float* linear) {
  return sums_of(lasso, z, gradient, linear);
}
LassoSums<double> sums_f64(const ScaledLasso<double>& lasso, const double* z, const double* gradient,
                           const double* linear) {
  return sums_of(lasso, z, gradient, linear);
}

template <class T>
struct Moves {
  int count = 0;
  const T* rows[kMoves];
  T changes[kMoves];
};

template <class T>
struct Descent {
  using D = hn::ScalableTag<T>;
  using Integers = hn::RebindToSigned<D>;
  using Integer = hn::TFromD<Integers>;
  static constexpr Integer kNumbers = (Integer{1} << kNumberBits) - 1;
  static constexpr Integer kChange = std::numeric_limits<Integer>::max() & ~kNumbers;

  const ScaledLasso<T>& lasso;
  const LassoSample<T>& sample;
  alignas(64) Integer winners[hn::MaxLanes(Integers())];

  /// gradient += moves; then each lane's largest change |shrink(z - g) - z|, with the number of its vector.
  template <int count>
  void pass(const Moves<T>& moves) {
    const D d;
    const Integers di;
    const auto width = static_cast<std::size_t>(lasso.width);
    const std::size_t lanes = hn::Lanes(d);
    const auto keep = hn::Set(di, kChange), one = hn::Set(di, 1);
    const auto sign = hn::SignBit(d), lowest = hn::Set(d, -std::numeric_limits<T>::infinity());
    const bool non_negative = lasso.non_negative;
    auto best = hn::Zero(di), number = hn::Zero(di);
    for (std::size_t i = 0; i < width; i += lanes) {
      auto g = hn::Load(d, sample.gradient + i);
      for (int m = 0; m < count; ++m)
        g = hn::MulAdd(hn::Set(d, moves.changes[m]), hn::Load(d, moves.rows[m] + i), g);
      if (count > 0) hn::Store(g, d, sample.gradient + i);
      // With u = z - g and H_ii = 1 the minimum along i is u - clamp(u, -t, t), z plus -(g + clamp).
      const auto t = hn::Load(d, lasso.threshold + i);
      const auto low = non_negative ? lowest : hn::Or(t, sign);
      const auto clamped = hn::Max(low, hn::Min(t, hn::Sub(hn::Load(d, sample.z + i), g)));
      const auto change = hn::And(hn::BitCast(di, hn::Add(g, clamped)), keep);
      best = hn::Max(best, hn::Or(change, number));
      number = hn::Add(number, one);
    }
    hn::Store(best, di, winners);
  }

  void pass_of(const Moves<T>& moves) {
    switch (moves.count) {
      case 0:
        return pass<0>(moves);
      case 1:
        return pass<1>(moves);
      case 2:
        return pass<2>(moves);
      case 3:
        return pass<3>(moves);
      case 4:
        return pass<4>(moves);
      case 5:
        return pass<5>(moves);
      case 6:
        return pass<6>(moves);
      case 7:
        return pass<7>(moves);
      default:
        return pass<8>(moves);
    }
  }

  static T change_of(Integer winner) {
    const Integer bits = winner & kChange;
    T change;
    hwy::CopyBytes<sizeof(T)>(&bits, &change);
    return change;
  }

  /// The largest change; NaN where there is one.
  T largest() const {
    Integer best = 0;
    for (std::size_t lane = 0; lane < hn::Lanes(D()); ++lane) best = std::max(best, winners[lane]);
    return change_of(best);
  }

  /// Moves the lanes' best coordinates, at most `room` of them.
  void choose(T least, Index room, Moves<T>& moves) const {
    const int most = static_cast<int>(std::min<Index>(room, kMoves));
    const std::size_t lanes = hn::Lanes(D());
    moves.count = 0;
    for (std::size_t lane = 0; lane < lanes && moves.count < most; ++lane) {
      if (!(change_of(winners[lane]) >= least)) continue;
      const std::size_t i = static_cast<std::size_t>(winners[lane] & kNumbers) * lanes + lane;
      T g = sample.gradient[i];
      for (int m = 0; m < moves.count; ++m) g += moves.changes[m] * moves.rows[m][i];
      const T u = sample.z[i] - g, t = lasso.threshold[i];
      const T next = lasso.non_negative ? std::max(T{0}, u - t) : u - std::max(-t, std::min(t, u));
      const T change = next - sample.z[i];
      if (change == T{0}) continue;
      sample.z[i] = next;
      moves.rows[moves.count] = lasso.gram + static_cast<Index>(i) * lasso.width;
      moves.changes[moves.count++] = change;
    }
  }

  /// gradient = H z - q.
  void refresh() {
    const D d;
    const auto width = static_cast<std::size_t>(lasso.width);
    for (std::size_t i = 0; i < width; i += hn::Lanes(d))
      hn::Store(hn::Neg(hn::Load(d, sample.linear + i)), d, sample.gradient + i);
    for (std::size_t j = 0; j < width; ++j) {
      if (sample.z[j] == T{0}) continue;
      const T* row = lasso.gram + static_cast<Index>(j) * lasso.width;
      const auto z = hn::Set(d, sample.z[j]);
      for (std::size_t i = 0; i < width; i += hn::Lanes(d)) {
        hn::Store(hn::MulAdd(z, hn::Load(d, row + i), hn::Load(d, sample.gradient + i)), d,
                  sample.gradient + i);
      }
    }
  }

  LassoOutcome run() {
    Moves<T> moves;
    Index steps = 0, since_refresh = 0, next_look = 0;
    T unresolved = 0;  // a change too small for the number it changes
    refresh();
    for (;;) {
      pass_of(moves);
      const T best = largest();
      const bool last = steps >= lasso.max_steps || !(best > unresolved);
      if (last || steps >= next_look) {
        const LassoSums<T> now = sums_of(lasso, sample.z, sample.gradient, sample.linear);
        const double gap = lasso_gap(now, sample.constant);
        const bool done = last || !(gap > lasso.tolerance);
        if (done && since_refresh <= kTrusted) return {gap, steps};
        if (done || since_refresh > kRenewed) {
          refresh();
          since_refresh = 0;
          unresolved = 0;
          moves.count = 0;
          next_look = steps;
          continue;
        }
        // A look costs about a pass; looks grow rarer so that few moves are made in vain and few looks taken.
        next_look = steps + std::max<Index>(16, steps / 8);
      }
      choose(static_cast<T>(kShare) * best, lasso.max_steps - steps, moves);
      if (moves.count == 0) unresolved = best;
      steps += moves.count;
      since_refresh += moves.count;
    }
  }
};

LassoOutcome descend_f32(const ScaledLasso<float>& lasso, const LassoSample<float>& sample) {
  return Descent<float>{lasso, sample, {}}.run();
}
LassoOutcome descend_f64(const ScaledLasso<double>& lasso, const LassoSample<double>& sample) {
  return Descent<double>{lasso, sample, {}}.run();
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {

HWY_EXPORT(descend_f32);
HWY_EXPORT(descend_f64);
HWY_EXPORT(sums_f32);
HWY_EXPORT(sums_f64);

LassoOutcome lasso_descend(const ScaledLasso<float>& lasso, const LassoSample<float>& sample) {
  return HWY_DYNAMIC_DISPATCH(descend_f32)(lasso, sample);
}
LassoOutcome lasso_descend(const ScaledLasso<double>& lasso, const LassoSample<double>& sample) {
  return HWY_DYNAMIC_DISPATCH(descend_f64)(lasso, sample);
}

LassoSums<float> lasso_sums(const ScaledLasso<float>& lasso, const float* z, const float* gradient,
                            const float* linear) {
  return HWY_DYNAMIC_DISPATCH(sums_f32)(lasso, z, gradient, linear);
}
LassoSums<double> lasso_sums(const ScaledLasso<double>& lasso, const double* z, const double* gradient,
                             const double* linear) {
  return HWY_DYNAMIC_DISPATCH(sums_f64)(lasso, z, gradient, linear);
}

}  // namespace basin
#endif
