// What both passes over gated cells are made of, once per instruction set. f32 uses the vector functions, f64
// the C library's.
#if defined(BASIN_TENSOR_CPU_RECURRENCE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BASIN_TENSOR_CPU_RECURRENCE_INL_H
#undef BASIN_TENSOR_CPU_RECURRENCE_INL_H
#else
#define BASIN_TENSOR_CPU_RECURRENCE_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "tensor/cpu/recurrence/recurrence.h"
#include "tensor/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using Vector = hn::Vec<Tag<T>>;

/// Numbers of a vector.
template <class T>
inline constexpr Index kLanes = hn::MaxLanes(Tag<T>());

/// A panel is four vectors wide: as many rows at a time as leave its sums in registers, 16 or 32 of them.
inline constexpr Index kPanel = 4;
inline constexpr Index kTogether = HWY_MAX_BYTES >= 64 ? 6 : 3;

template <class T>
HWY_INLINE Vector<T> load(const T* from, Index count) {
  const Tag<T> d;
  return count >= kLanes<T> ? hn::LoadU(d, from)
                            : hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, from);
}

template <class T>
HWY_INLINE void store(Vector<T> x, T* to, Index count) {
  const Tag<T> d;
  if (count >= kLanes<T>) {
    hn::StoreU(x, d, to);
  } else {
    hn::BlendedStore(x, hn::FirstN(d, static_cast<std::size_t>(count)), d, to);
  }
}

template <class F>
HWY_INLINE Vector<double> each(Vector<double> x, const F& f) {
  const Tag<double> d;
  HWY_ALIGN double lanes[hn::MaxLanes(d)];
  hn::Store(x, d, lanes);
  for (double& lane : lanes) lane = f(lane);
  return hn::Load(d, lanes);
}

HWY_INLINE Vector<double> tanh(Vector<double> x) {
  return each(x, [](double v) { return std::tanh(v); });
}

HWY_INLINE Vector<double> sigmoid(Vector<double> x) {
  return each(x, [](double v) {
    const double e = std::exp(-std::abs(v));
    return (v < 0.0 ? e : 1.0) / (1.0 + e);
  });
}

/// sum[r][v] += sum_k rows[r][k] panel[k, v] of a panel of V vectors.
template <class T, int R, int V>
HWY_INLINE void add_product(const T* const (&rows)[R], Index depth, const T* panel, Vector<T> (&sum)[R][V]) {
  const Tag<T> d;
  for (Index k = 0; k < depth; ++k, panel += V * kLanes<T>) {
    Vector<T> a[R];
    for (int r = 0; r < R; ++r) a[r] = hn::Set(d, rows[r][k]);
    for (int v = 0; v < V; ++v) {
      const Vector<T> b = hn::Load(d, panel + v * kLanes<T>);
      for (int r = 0; r < R; ++r) sum[r][v] = hn::MulAdd(a[r], b, sum[r][v]);
    }
  }
}

/// Calls body(rows, their count as a constant) for all, kTogether at a time.
template <class Body>
HWY_INLINE void in_blocks(const Index* rows, Index count, const Body& body) {
  for (; count >= kTogether; rows += kTogether, count -= kTogether)
    body(rows, std::integral_constant<int, kTogether>());
  switch (count) {
    case 5:
      return body(rows, std::integral_constant<int, std::min<int>(5, kTogether)>());
    case 4:
      return body(rows, std::integral_constant<int, std::min<int>(4, kTogether)>());
    case 3:
      return body(rows, std::integral_constant<int, std::min<int>(3, kTogether)>());
    case 2:
      return body(rows, std::integral_constant<int, 2>());
    case 1:
      return body(rows, std::integral_constant<int, 1>());
    default:
      return;
  }
}

/// Those of rows [begin, end) that take step t, listed; returns their number.
inline Index list_active(const RecurrenceSizes& sizes, Index t, Index begin, Index end, Index* active) {
  Index count = 0;
  for (Index row = begin; row < end; ++row) {
    if (sizes.is_active(row, t)) active[count++] = row;
  }
  return count;
}

/// Calls use(pass, number) with null of the pass type of a call's cell and dtype, and a zero of that dtype.
template <template <class, GatedCell> class Pass, class Call, class Use>
void with_pass(const Call& call, const Use& use) {
  const bool single = call.dtype == Dtype::F32;
  if (call.cell == GatedCell::Lstm) {
    single ? use(static_cast<Pass<float, GatedCell::Lstm>*>(nullptr), float{})
           : use(static_cast<Pass<double, GatedCell::Lstm>*>(nullptr), double{});
  } else {
    single ? use(static_cast<Pass<float, GatedCell::Gru>*>(nullptr), float{})
           : use(static_cast<Pass<double, GatedCell::Gru>*>(nullptr), double{});
  }
}

template <template <class, GatedCell> class Pass, class Call>
void pack_pass(const Call& call, void* packed) {
  with_pass<Pass>(call, [&](auto* pass, auto number) {
    std::remove_pointer_t<decltype(pass)>::pack(call, static_cast<decltype(number)*>(packed));
  });
}

template <template <class, GatedCell> class Pass, class Call>
void run_pass(const Call& call, const RecurrenceRoom& room, Index begin, Index end) {
  with_pass<Pass>(call, [&](auto* pass, auto) {
    std::remove_pointer_t<decltype(pass)>(call, room).run(begin, end, room.active + begin);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#endif
