#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/recurrence/forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/cpu/recurrence/recurrence-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

/// The forward pass over some rows. A panel holds the weights of all gates of as many units as a vector has
/// lanes, so that a unit's gates are in registers together when the product is done.
template <class T, GatedCell kCell>
class ForwardPass {
 public:
  static constexpr int kGates = kCell == GatedCell::Lstm ? 4 : 3;
  static constexpr int kStates = kCell == GatedCell::Lstm ? 2 : 1;

  ForwardPass(const RecurrenceForward& call, const RecurrenceRoom& room)
      : call_(call),
        hidden_(call.hidden),
        packed_(static_cast<const T*>(room.packed)),
        now_(static_cast<T*>(room.states)),
        next_(now_ + call.rows * hidden_),
        cell_(next_ + call.rows * hidden_) {}

  static void pack(const RecurrenceForward& call, T* to) {
    const auto* u = static_cast<const T*>(call.weight);
    const Index hidden = call.hidden;
    for (Index first = 0; first < hidden; first += kLanes<T>) {
      for (Index k = 0; k < hidden; ++k) {
        for (Index g = 0; g < kGates; ++g, to += kLanes<T>) {
          for (Index j = 0; j < kLanes<T>; ++j)
            to[j] = first + j < hidden ? u[(k * kGates + g) * hidden + first + j] : T{0};
        }
      }
    }
  }

  void run(Index begin, Index end, Index* active) {
    const auto* start = static_cast<const T*>(call_.start);
    for (Index row = begin; row < end; ++row) {
      const T* from = start + row * kStates * hidden_;
      // In both, so that a row which waits for its first step has its state wherever that step looks.
      std::copy_n(from, hidden_, now_ + row * hidden_);
      std::copy_n(from, hidden_, next_ + row * hidden_);
      if (kStates == 2) std::copy_n(from + hidden_, hidden_, cell_ + row * hidden_);
      if (call_.lengths.empty() ? call_.steps == 0 : call_.lengths[static_cast<std::size_t>(row)] == 0)
        finish(row, now_);
    }
    for (Index s = 0; s < call_.steps; ++s)
      step(call_.reversed ? call_.steps - 1 - s : s, begin, end, active);
  }

 private:
  void step(Index t, Index begin, Index end, Index* active) {
    const Index count = list_active(call_, t, begin, end, active);
    auto* output = static_cast<T*>(call_.output);
    auto* previous = static_cast<T*>(call_.record.previous);
    for (Index row = begin; row < end; ++row) {
      const bool is_active = call_.is_active(row, t);
      const Index at = (row * call_.steps + t) * hidden_;
      if (!is_active) std::fill_n(output + at, hidden_, T{0});
      if (previous != nullptr && is_active) std::copy_n(now_ + row * hidden_, hidden_, previous + at);
      if (previous != nullptr && !is_active) std::fill_n(previous + at, hidden_, T{0});
    }
    for (Index first = 0; first < hidden_; first += kLanes<T>) {
      in_blocks(active, count, [&](const Index* rows, auto together) HWY_ATTR {
        if constexpr (kCell == GatedCell::Lstm) {
          lstm<together()>(rows, t, first);
        } else {
          gru<together()>(rows, t, first);
        }
      });
    }
    std::swap(now_, next_);
    for (Index i = 0; i < count; ++i) {
      const Index row = active[i];
      if (call_.reversed ? t == 0 : t + 1 == call_.steps || !call_.is_active(row, t + 1)) finish(row, now_);
    }
  }

  void finish(Index row, const T* h) {
    T* to = static_cast<T*>(call_.end) + row * kStates * hidden_;
    std::copy_n(h + row * hidden_, hidden_, to);
    if (kStates == 2) std::copy_n(cell_ + row * hidden_, hidden_, to + hidden_);
  }

  template <int R>
  HWY_INLINE void add_products(const Index* rows, Index first, Vector<T> (&sum)[R][kGates]) const {
    const T* h[R];
    for (int r = 0; r < R; ++r) h[r] = now_ + rows[r] * hidden_;
    add_product<T, R, kGates>(h, hidden_, packed_ + first * hidden_ * kGates, sum);
  }

  /// The numbers of the record from which those of gate g follow g * H on; null without a record.
  HWY_INLINE T* gates_of(Index row, Index t, Index first) const {
    auto* gates = static_cast<T*>(call_.record.gates);
    return gates == nullptr ? nullptr : gates + (row * call_.steps + t) * 4 * hidden_ + first;
  }

  HWY_INLINE const T* input_of(Index row, Index t, Index first) const {
    return static_cast<const T*>(call_.input) + (row * call_.steps + t) * kGates * hidden_ + first;
  }

  template <int R>
  HWY_INLINE void lstm(const Index* rows, Index t, Index first) {
    const Index count = std::min(kLanes<T>, hidden_ - first);
    Vector<T> sum[R][kGates];
    for (int r = 0; r < R; ++r) {
      const T* a = input_of(rows[r], t, first);
      for (int g = 0; g < kGates; ++g) sum[r][g] = load(a + g * hidden_, count);
    }
    add_products<R>(rows, first, sum);
    for (int r = 0; r < R; ++r) {
      const Index at = rows[r] * hidden_ + first, out = (rows[r] * call_.steps + t) * hidden_ + first;
      const Vector<T> i = sigmoid(sum[r][0]), f = sigmoid(sum[r][1]), g = tanh(sum[r][2]),
                      o = sigmoid(sum[r][3]);
      const Vector<T> c = hn::MulAdd(f, load(cell_ + at, count), hn::Mul(i, g));
      const Vector<T> h = hn::Mul(o, tanh(c));
      store(c, cell_ + at, count);
      store(h, next_ + at, count);
      store(h, static_cast<T*>(call_.output) + out, count);
      T* gates = gates_of(rows[r], t, first);
      if (gates == nullptr) continue;
      store(i, gates, count);
      store(f, gates + hidden_, count);
      store(g, gates + 2 * hidden_, count);
      store(o, gates + 3 * hidden_, count);
      store(c, static_cast<T*>(call_.record.cells) + out, count);
    }
  }

  template <int R>
  HWY_INLINE void gru(const Index* rows, Index t, Index first) {
    const Index count = std::min(kLanes<T>, hidden_ - first);
    const Vector<T> bias = load(static_cast<const T*>(call_.bias) + first, count);
    Vector<T> sum[R][kGates];
    for (int r = 0; r < R; ++r) {
      const T* a = input_of(rows[r], t, first);
      sum[r][0] = load(a, count);
      sum[r][1] = load(a + hidden_, count);
      sum[r][2] = bias;
    }
    add_products<R>(rows, first, sum);
    for (int r = 0; r < R; ++r) {
      const Index at = rows[r] * hidden_ + first, out = (rows[r] * call_.steps + t) * hidden_ + first;
      const Vector<T> reset = sigmoid(sum[r][0]), z = sigmoid(sum[r][1]), q = sum[r][2];
      const Vector<T> a = load(input_of(rows[r], t, first) + 2 * hidden_, count);
      const Vector<T> n = tanh(hn::MulAdd(reset, q, a));
      const Vector<T> h = hn::MulAdd(z, hn::Sub(load(now_ + at, count), n), n);
      store(h, next_ + at, count);
      store(h, static_cast<T*>(call_.output) + out, count);
      T* gates = gates_of(rows[r], t, first);
      if (gates == nullptr) continue;
      store(reset, gates, count);
      store(z, gates + hidden_, count);
      store(n, gates + 2 * hidden_, count);
      store(q, gates + 3 * hidden_, count);
    }
  }

  const RecurrenceForward& call_;
  Index hidden_;
  const T* packed_;
  T *now_, *next_, *cell_;  // [rows, H]
};

void pack_forward(const RecurrenceForward& call, void* packed) { pack_pass<ForwardPass>(call, packed); }

void run_forward(const RecurrenceForward& call, const RecurrenceRoom& room, Index begin, Index end) {
  run_pass<ForwardPass>(call, room, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "tensor/cpu/cpu_solvers.h"
#include "tensor/cpu/recurrence/run_rows.h"

namespace basin {

HWY_EXPORT(pack_forward);
HWY_EXPORT(run_forward);

void CpuSolvers::recurrence_forward(const RecurrenceForward& call) {
  run_rows(kernels_, call, HWY_DYNAMIC_DISPATCH(pack_forward), HWY_DYNAMIC_DISPATCH(run_forward));
}

}  // namespace basin
#endif
