#pragma once

#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"
#include "tensor/recurrence.h"

namespace basin::cuda {

/// A state [rows, S H] taken apart into h and c [rows, H], or put together again.
template <class T>
struct StateParts {
  T* state;
  T* h;
  T* c;  // null: a state is h alone
  Index hidden;
  bool together;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = i / hidden, j = i - row * hidden, parts = c != nullptr ? 2 : 1;
    T* at = state + row * parts * hidden + j;
    if (together) {
      at[0] = h[i];
      if (c != nullptr) at[hidden] = c[i];
    } else {
      h[i] = at[0];
      if (c != nullptr) c[i] = at[hidden];
    }
  }
};

/// What the steps of a pass have in common. An item is unit j of a row.
struct RecurrentSteps {
  const Index* lengths;  // null: all steps
  Index steps, hidden, gates;

  BASIN_HOST_DEVICE bool is_active(Index row, Index t) const {
    return lengths == nullptr || t < lengths[row];
  }
};

/// One step: h and c become those after it, where the row takes it. `product` is h U.
template <class T, GatedCell kCell>
struct StepForward : RecurrentSteps {
  Index t;
  const T* input;
  const T* product;
  const T* bias;
  T* h;
  T* c;
  T* output;
  T* gates_kept;
  T* cells;
  T* previous;

  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = i / hidden, j = i - row * hidden, at = (row * steps + t) * hidden + j;
    const bool active = is_active(row, t);
    const T before = h[i];
    if (previous != nullptr) previous[at] = active ? before : T{0};
    if (!active) {
      output[at] = T{0};
      return;
    }
    const T* a = input + (row * steps + t) * gates * hidden + j;
    const T* p = product + row * gates * hidden + j;
    T* kept = gates_kept == nullptr ? nullptr : gates_kept + (row * steps + t) * 4 * hidden + j;
    T now;
    if constexpr (kCell == GatedCell::Lstm) {
      const T in = math::sigmoid(a[0] + p[0]), forget = math::sigmoid(a[hidden] + p[hidden]),
              g = math::tanh(a[2 * hidden] + p[2 * hidden]),
              out = math::sigmoid(a[3 * hidden] + p[3 * hidden]);
      const T cell = math::fma(forget, c[i], in * g);
      now = out * math::tanh(cell);
      c[i] = cell;
      keep(kept, in, forget, g, out);
      if (kept != nullptr) cells[at] = cell;
    } else {
      const T reset = math::sigmoid(a[0] + p[0]), z = math::sigmoid(a[hidden] + p[hidden]),
              q = bias[j] + p[2 * hidden];
      const T n = math::tanh(math::fma(reset, q, a[2 * hidden]));
      now = math::fma(z, before - n, n);
      keep(kept, reset, z, n, q);
    }
    h[i] = now;
    output[at] = now;
  }

  BASIN_HOST_DEVICE void keep(T* kept, T first, T second, T third, T fourth) const {
    if (kept == nullptr) return;
    kept[0] = first;
    kept[hidden] = second;
    kept[2 * hidden] = third;
    kept[3 * hidden] = fourth;
  }
};

/// One step back: the gradients of its gates from those of the state after it; d_h becomes what goes past the
/// gates (the product with U' is added to it afterwards), d_c that of the cell before.
template <class T, GatedCell kCell>
struct StepBackward : RecurrentSteps {
  Index t, before;  // the step that was taken before; none where it lies outside of 0 .. steps - 1
  const T* start;
  const T* gates_kept;
  const T* cells;
  const T* previous;
  const T* d_output;
  T* d_input;
  T* d_product;
  T* d_h;
  T* d_c;

  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = i / hidden, j = i - row * hidden, at = (row * steps + t) * hidden + j;
    T* to = d_input + (row * steps + t) * gates * hidden + j;
    T* through = kCell == GatedCell::Lstm ? nullptr : d_product + (row * steps + t) * gates * hidden + j;
    if (!is_active(row, t)) {
      for (Index g = 0; g < gates; ++g) {
        to[g * hidden] = T{0};
        if (through != nullptr) through[g * hidden] = T{0};
      }
      return;
    }
    const T* kept = gates_kept + (row * steps + t) * 4 * hidden + j;
    const T dh = d_output[at] + d_h[i];
    if constexpr (kCell == GatedCell::Lstm) {
      const T in = kept[0], forget = kept[hidden], g = kept[2 * hidden], out = kept[3 * hidden];
      const T squashed = math::tanh(cells[at]), past = dh * out;
      const T dc = d_c[i] + past * math::fma(-squashed, squashed, T{1});
      to[0] = dc * g * (in * (T{1} - in));
      to[hidden] = dc * cell_before(row, j) * (forget * (T{1} - forget));
      to[2 * hidden] = dc * in * math::fma(-g, g, T{1});
      to[3 * hidden] = past * squashed * (T{1} - out);
      d_h[i] = T{0};
      d_c[i] = dc * forget;
    } else {
      const T reset = kept[0], z = kept[hidden], n = kept[2 * hidden], q = kept[3 * hidden];
      const T stays = dh * z, dn = (dh - stays) * math::fma(-n, n, T{1});
      const T dz = stays * (previous[at] - n) * (T{1} - z), dq = dn * reset, dr = dq * q * (T{1} - reset);
      to[0] = through[0] = dr;
      to[hidden] = through[hidden] = dz;
      to[2 * hidden] = dn;
      through[2 * hidden] = dq;
      d_h[i] = stays;
    }
  }

  BASIN_HOST_DEVICE T cell_before(Index row, Index j) const {
    if (before < 0 || before >= steps || !is_active(row, before)) return start[(row * 2 + 1) * hidden + j];
    return cells[(row * steps + before) * hidden + j];
  }
};

}  // namespace basin::cuda
