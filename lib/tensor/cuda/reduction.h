#pragma once

#include <algorithm>
#include <cstddef>

#include "tensor/cuda/launch.h"
#include "tensor/cuda/memory_pool.h"

// Many numbers into few. A reduction is a struct with these:
//
//   State: what is known of some items, trivially copyable, whole 32-bit words
//
//   Cursor start(Index output) const: what an output's items have in common
//
//   State empty() const
//
//   void add(State&, const Cursor&, Index m) const: item m of the output's `length`; every item comes once,
//   so that add may write too
//
//   void join(State&, const State&) const: what is known of the items of both, in either order
//
//   void finish(Index output, const State&) const
//
// Sums are taken in an order that depends on the extents alone: lengths are cut into parts of a fixed size,
// and parts, and the items of a part, are taken by threads in turn (on the host: one after another).

namespace basin::cuda {

/// Which numbers are neighbours in memory: the items of an output, or the outputs of an item.
enum class Neighbours { Items, Outputs };

struct ReductionSizes {
  Index outputs = 0, length = 0;
  Neighbours neighbours = Neighbours::Items;

  /// Items of a part; outputs enough to fill a device are not cut.
  Index part() const {
    constexpr Index kItems = 8192, kRows = 256, kManyOutputs = 16384;
    const bool items = neighbours == Neighbours::Items;
    if (outputs >= (items ? kManyOutputs / 16 : kManyOutputs)) return std::max<Index>(length, 1);
    return items ? kItems : kRows;
  }
  Index parts() const { return std::max<Index>(1, (length + part() - 1) / part()); }
};

#ifdef __CUDACC__

inline constexpr unsigned kWarp = 32, kWarps = 8;

/// Of a lane further on in the warp.
template <class State>
__device__ State from_lane_above(const State& own, unsigned distance) {
  static_assert(sizeof(State) % sizeof(unsigned) == 0);
  State other;
  const auto* from = reinterpret_cast<const unsigned*>(&own);
  auto* to = reinterpret_cast<unsigned*>(&other);
  for (std::size_t word = 0; word < sizeof(State) / sizeof(unsigned); ++word)
    to[word] = __shfl_down_sync(0xFFFFFFFFu, from[word], distance);
  return other;
}

template <class R>
__device__ void join_warp(const R& r, typename R::State& state) {
  for (unsigned distance = kWarp / 2; distance > 0; distance /= 2)
    r.join(state, from_lane_above(state, distance));
}

/// A warp an output.
template <class R>
__global__ void __launch_bounds__(kWarp* kWarps)
    reduce_by_warps(const __grid_constant__ R r, Index outputs, Index length) {
  const Index output = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (output >= outputs) return;
  const auto cursor = r.start(output);
  auto state = r.empty();
  for (Index m = threadIdx.x; m < length; m += kWarp) r.add(state, cursor, m);
  join_warp(r, state);
  if (threadIdx.x == 0) r.finish(output, state);
}

/// A block a part of an output, items side by side; parts [part, output].
template <class R>
__global__ void __launch_bounds__(kWarp* kWarps)
    reduce_items(const __grid_constant__ R r, Index outputs, Index length, Index part, Index parts,
                 typename R::State* states) {
  using State = typename R::State;
  __shared__ alignas(16) unsigned char room[kWarps * sizeof(State)];
  auto* shared = reinterpret_cast<State*>(room);
  const Index item = blockIdx.x, output = item / parts, at = item - output * parts;
  const Index end = min(length, (at + 1) * part);
  const auto cursor = r.start(output);
  State state = r.empty();
  for (Index m = at * part + threadIdx.x; m < end; m += kWarp * kWarps) r.add(state, cursor, m);
  join_warp(r, state);
  if (threadIdx.x % kWarp == 0) shared[threadIdx.x / kWarp] = state;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (unsigned warp = 1; warp < kWarps; ++warp) r.join(state, shared[warp]);
  if (parts == 1) {
    r.finish(output, state);
  } else {
    states[at * outputs + output] = state;
  }
}

/// A warp's outputs side by side, its block's warps on items in turn.
template <class R>
__global__ void __launch_bounds__(kWarp* kWarps)
    reduce_outputs(const __grid_constant__ R r, Index outputs, Index length, Index part, Index parts,
                   typename R::State* states) {
  using State = typename R::State;
  __shared__ alignas(16) unsigned char room[kWarps * kWarp * sizeof(State)];
  auto* shared = reinterpret_cast<State*>(room);
  const Index strips = (outputs + kWarp - 1) / kWarp, at = blockIdx.x / strips;
  const Index output = (blockIdx.x - at * strips) * kWarp + threadIdx.x;
  const Index end = min(length, (at + 1) * part);
  State state = r.empty();
  if (output < outputs) {
    const auto cursor = r.start(output);
    for (Index m = at * part + threadIdx.y; m < end; m += kWarps) r.add(state, cursor, m);
  }
  shared[threadIdx.y * kWarp + threadIdx.x] = state;
  __syncthreads();
  if (threadIdx.y != 0 || output >= outputs) return;
  for (unsigned warp = 1; warp < kWarps; ++warp) r.join(state, shared[warp * kWarp + threadIdx.x]);
  if (parts == 1) {
    r.finish(output, state);
  } else {
    states[at * outputs + output] = state;
  }
}

/// The parts of outputs: a warp an output, its lanes on parts in turn.
template <class R>
__global__ void __launch_bounds__(kWarp* kWarps)
    join_parts(const __grid_constant__ R r, Index outputs, Index parts, const typename R::State* states) {
  const Index output = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (output >= outputs) return;
  auto state = r.empty();
  for (Index at = threadIdx.x; at < parts; at += kWarp) r.join(state, states[at * outputs + output]);
  join_warp(r, state);
  if (threadIdx.x == 0) r.finish(output, state);
}

template <class R>
void launch_reduction(Runtime& runtime, MemoryPool& pool, const char* name, const ReductionSizes& sizes,
                      const R& r) {
  if (sizes.outputs <= 0) return;
  constexpr Index kShort = 512;  // a warp's work
  runtime.use();
  const auto stream = static_cast<cudaStream_t>(runtime.stream());
  const Index part = sizes.part(), parts = sizes.parts();
  if (sizes.neighbours == Neighbours::Items && sizes.length <= kShort) {
    const auto blocks = static_cast<unsigned>((sizes.outputs + kWarps - 1) / kWarps);
    reduce_by_warps<<<blocks, dim3(kWarp, kWarps), 0, stream>>>(r, sizes.outputs, sizes.length);
    return runtime.launched(name);
  }
  const Scratch<typename R::State> states(pool,
                                          parts == 1 ? 0 : static_cast<std::size_t>(parts * sizes.outputs));
  if (sizes.neighbours == Neighbours::Items) {
    reduce_items<<<static_cast<unsigned>(sizes.outputs * parts), kWarp * kWarps, 0, stream>>>(
        r, sizes.outputs, sizes.length, part, parts, states.data());
  } else {
    const Index strips = (sizes.outputs + kWarp - 1) / kWarp;
    reduce_outputs<<<static_cast<unsigned>(strips * parts), dim3(kWarp, kWarps), 0, stream>>>(
        r, sizes.outputs, sizes.length, part, parts, states.data());
  }
  runtime.launched(name);
  if (parts == 1) return;
  const auto blocks = static_cast<unsigned>((sizes.outputs + kWarps - 1) / kWarps);
  join_parts<<<blocks, dim3(kWarp, kWarps), 0, stream>>>(r, sizes.outputs, parts, states.data());
  runtime.launched(name);
}

#else

template <class R>
void launch_reduction(Runtime& runtime, MemoryPool&, const char* name, const ReductionSizes& sizes,
                      const R& r) {
  if (sizes.outputs <= 0) return;
  const Index part = sizes.part(), parts = sizes.parts();
  parallel_ranges(sizes.outputs, std::max<Index>(sizes.length, 1), 1, [&](Index begin, Index end) {
    for (Index output = begin; output < end; ++output) {
      const auto cursor = r.start(output);
      auto all = r.empty();
      for (Index at = 0; at < parts; ++at) {
        auto state = r.empty();
        for (Index m = at * part; m < std::min(sizes.length, (at + 1) * part); ++m) r.add(state, cursor, m);
        if (at == 0) {
          all = state;
        } else {
          r.join(all, state);
        }
      }
      r.finish(output, all);
    }
  });
  runtime.launched(name);
  if (parts > 1) runtime.launched(name);
}

#endif

}  // namespace basin::cuda
