#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/recurrence/backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/cpu/recurrence/recurrence-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

/// The backward pass over some rows, from their last step to their first: of each the gradient of the gates,
/// unit by unit, then that of h before the step, a product with U' whose panels lie k after k.
template <class T, GatedCell kCell>
class BackwardPass {
 public:
  static constexpr int kGates = kCell == GatedCell::Lstm ? 4 : 3;
  static constexpr int kStates = kCell == GatedCell::Lstm ? 2 : 1;
  static constexpr Index kWide = kPanel * kLanes<T>;

  BackwardPass(const RecurrenceBackward& call, const RecurrenceRoom& room)
      : call_(call),
        hidden_(call.hidden),
        packed_(static_cast<const T*>(room.packed)),
        d_h_(static_cast<T*>(room.states)),
        d_c_(d_h_ + call.rows * hidden_),
        d_input_(static_cast<T*>(call.d_input)),
        d_product_(kCell == GatedCell::Lstm ? d_input_ : static_cast<T*>(call.d_product)) {}

  static void pack(const RecurrenceBackward& call, T* to) {
    const auto* u = static_cast<const T*>(call.weight);
    const Index hidden = call.hidden, depth = kGates * hidden;
    for (Index first = 0; first < hidden; first += kWide) {
      for (Index k = 0; k < depth; ++k, to += kWide) {
        for (Index j = 0; j < kWide; ++j) to[j] = first + j < hidden ? u[(first + j) * depth + k] : T{0};
      }
    }
  }

  void run(Index begin, Index end, Index* active) {
    std::fill_n(d_h_ + begin * hidden_, (end - begin) * hidden_, T{0});
    std::fill_n(d_c_ + begin * hidden_, (end - begin) * hidden_, T{0});
    for (Index s = 0; s < call_.steps; ++s)
      step(call_.reversed ? s : call_.steps - 1 - s, begin, end, active);
    auto* d_start = static_cast<T*>(call_.d_start);
    for (Index row = begin; row < end; ++row) {
      T* to = d_start + row * kStates * hidden_;
      std::copy_n(d_h_ + row * hidden_, hidden_, to);
      if (kStates == 2) std::copy_n(d_c_ + row * hidden_, hidden_, to + hidden_);
    }
  }

 private:
  void step(Index t, Index begin, Index end, Index* active) {
    const Index count = list_active(call_, t, begin, end, active), depth = kGates * hidden_;
    for (Index row = begin; row < end; ++row) {
      if (call_.is_active(row, t)) continue;
      const Index at = (row * call_.steps + t) * depth;
      std::fill_n(d_input_ + at, depth, T{0});
      if (d_product_ != d_input_) std::fill_n(d_product_ + at, depth, T{0});
    }
    for (Index i = 0; i < count; ++i) {
      for (Index first = 0; first < hidden_; first += kLanes<T>) {
        if constexpr (kCell == GatedCell::Lstm) {
          lstm(active[i], t, first);
        } else {
          gru(active[i], t, first);
        }
      }
    }
    for (Index first = 0; first < hidden_; first += kWide) {
      in_blocks(active, count,
                [&](const Index* rows, auto together) HWY_ATTR { add_products<together()>(rows, t, first); });
    }
  }

  template <int R>
  HWY_INLINE void add_products(const Index* rows, Index t, Index first) {
    const Index depth = kGates * hidden_;
    const T* gates[R];
    Vector<T> sum[R][kPanel];
    for (int r = 0; r < R; ++r) {
      gates[r] = d_product_ + (rows[r] * call_.steps + t) * depth;
      for (int v = 0; v < kPanel; ++v) sum[r][v] = hn::Zero(Tag<T>());
    }
    add_product<T, R, kPanel>(gates, depth, packed_ + first * depth, sum);
    for (int r = 0; r < R; ++r) {
      for (Index v = 0, j = first; v < kPanel && j < hidden_; ++v, j += kLanes<T>) {
        T* to = d_h_ + rows[r] * hidden_ + j;
        const Index count = std::min(kLanes<T>, hidden_ - j);
        // Of a Gru d_h holds what goes past the gates.
        store(kCell == GatedCell::Lstm ? sum[r][v] : hn::Add(load(to, count), sum[r][v]), to, count);
      }
    }
  }

  HWY_INLINE const T* gates_of(Index row, Index t, Index first) const {
    return static_cast<const T*>(call_.record.gates) + (row * call_.steps + t) * 4 * hidden_ + first;
  }

  /// c before the step.
  HWY_INLINE const T* cell_before(Index row, Index t, Index first) const {
    const Index before = call_.reversed ? t + 1 : t - 1;
    if (before < 0 || before >= call_.steps || !call_.is_active(row, before))
      return static_cast<const T*>(call_.start) + (row * kStates + 1) * hidden_ + first;
    return static_cast<const T*>(call_.record.cells) + (row * call_.steps + before) * hidden_ + first;
  }

  HWY_INLINE void lstm(Index row, Index t, Index first) {
    const Index count = std::min(kLanes<T>, hidden_ - first);
    const Index at = (row * call_.steps + t) * hidden_ + first;
    const Vector<T> one = hn::Set(Tag<T>(), T{1});
    const T* gates = gates_of(row, t, first);
    const Vector<T> i = load(gates, count), f = load(gates + hidden_, count),
                    g = load(gates + 2 * hidden_, count), o = load(gates + 3 * hidden_, count);
    const Vector<T> squashed = tanh(load(static_cast<const T*>(call_.record.cells) + at, count));
    T* d_h = d_h_ + row * hidden_ + first;
    T* d_c = d_c_ + row * hidden_ + first;
    const Vector<T> dh = hn::Add(load(static_cast<const T*>(call_.d_output) + at, count), load(d_h, count));
    const Vector<T> through = hn::Mul(dh, o);
    const Vector<T> dc = hn::Add(load(d_c, count), hn::Mul(through, hn::NegMulAdd(squashed, squashed, one)));
    T* to = d_input_ + (row * call_.steps + t) * kGates * hidden_ + first;
    const Vector<T> past = load(cell_before(row, t, first), count);
    store(hn::Mul(hn::Mul(dc, g), hn::Mul(i, hn::Sub(one, i))), to, count);
    store(hn::Mul(hn::Mul(dc, past), hn::Mul(f, hn::Sub(one, f))), to + hidden_, count);
    store(hn::Mul(hn::Mul(dc, i), hn::NegMulAdd(g, g, one)), to + 2 * hidden_, count);
    store(hn::Mul(hn::Mul(through, squashed), hn::Sub(one, o)), to + 3 * hidden_, count);
    store(hn::Mul(dc, f), d_c, count);
  }

  HWY_INLINE void gru(Index row, Index t, Index first) {
    const Index count = std::min(kLanes<T>, hidden_ - first);
    const Index at = (row * call_.steps + t) * hidden_ + first;
    const Vector<T> one = hn::Set(Tag<T>(), T{1});
    const T* gates = gates_of(row, t, first);
    const Vector<T> reset = load(gates, count), z = load(gates + hidden_, count),
                    n = load(gates + 2 * hidden_, count), q = load(gates + 3 * hidden_, count);
    const Vector<T> past = load(static_cast<const T*>(call_.record.previous) + at, count);
    T* d_h = d_h_ + row * hidden_ + first;
    const Vector<T> dh = hn::Add(load(static_cast<const T*>(call_.d_output) + at, count), load(d_h, count));
    const Vector<T> stays = hn::Mul(dh, z), rest = hn::Sub(dh, stays);
    const Vector<T> dn = hn::Mul(rest, hn::NegMulAdd(n, n, one));
    const Vector<T> dz = hn::Mul(hn::Mul(stays, hn::Sub(past, n)), hn::Sub(one, z));
    const Vector<T> dq = hn::Mul(dn, reset);
    const Vector<T> dr = hn::Mul(hn::Mul(dq, q), hn::Sub(one, reset));
    const Index to = (row * call_.steps + t) * kGates * hidden_ + first;
    for (T* d : {d_input_ + to, d_product_ + to}) {
      store(dr, d, count);
      store(dz, d + hidden_, count);
    }
    store(dn, d_input_ + to + 2 * hidden_, count);
    store(dq, d_product_ + to + 2 * hidden_, count);
    store(stays, d_h, count);
  }

  const RecurrenceBackward& call_;
  Index hidden_;
  const T* packed_;
  T *d_h_, *d_c_;  // [rows, H]: gradients of the state after the step at hand
  T *d_input_, *d_product_;
};

void pack_backward(const RecurrenceBackward& call, void* packed) { pack_pass<BackwardPass>(call, packed); }

void run_backward(const RecurrenceBackward& call, const RecurrenceRoom& room, Index begin, Index end) {
  run_pass<BackwardPass>(call, room, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "tensor/cpu/cpu_solvers.h"
#include "tensor/cpu/recurrence/run_rows.h"

namespace basin {

HWY_EXPORT(pack_backward);
HWY_EXPORT(run_backward);

void CpuSolvers::recurrence_backward(const RecurrenceBackward& call) {
  run_rows(kernels_, call, HWY_DYNAMIC_DISPATCH(pack_backward), HWY_DYNAMIC_DISPATCH(run_backward));
}

}  // namespace basin
#endif
