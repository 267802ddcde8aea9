#pragma once

#include <limits>

#include "tensor/cpu/lasso/lasso.h"
#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"

namespace basin::cuda {

/// Of one row of a set: which sample it is, its Nesterov's t, and whether its sample is found.
struct LassoRow {
  Index sample;
  double t;
  int found, unused;
};

/// The rows of a set of samples as (F)ISTA moves them, [rows, codes] each.
template <class T>
struct LassoRows {
  T* z;
  T* before;
  T* product;         // z H
  T* product_before;  // before H
  const T* linear;    // of all samples
  const T* constant;
  T* solution;  // of all samples
  double* gap;
  double* steps;
  LassoRow* rows;
  Index codes;
  T lambda, step;
  double tolerance;
  bool non_negative, momentum, restart;
};

/// Rows of samples first .. begin at the start given.
template <class T>
struct EnterRows {
  LassoRows<T> all;
  Index first;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = i / all.codes, j = i - row * all.codes;
    if (j == 0) all.rows[row] = {first + row, 1.0, 0, 0};
    all.z[i] = all.before[i] = all.solution[(first + row) * all.codes + j];
  }
};

/// The relative duality gap of each row; one within the tolerance, and every one at the last step, is found.
template <class T>
struct MeasureRows {
  LassoRows<T> all;
  Index step;
  bool last;
  using State = LassoSums<double>;
  struct Cursor {
    Index at, sample;
  };
  BASIN_HOST_DEVICE Cursor start(Index row) const {
    return {row * all.codes, all.rows[row].sample * all.codes};
  }
  BASIN_HOST_DEVICE State empty() const { return {0.0, 0.0, 0.0, 0.0}; }
  BASIN_HOST_DEVICE void add(State& sums, const Cursor& cursor, Index j) const {
    const T z = all.z[cursor.at + j], q = all.linear[cursor.sample + j];
    const T g = all.product[cursor.at + j] - q;
    sums.product += static_cast<double>(z * g);
    sums.linear += static_cast<double>(z * q);
    sums.norm += static_cast<double>(all.lambda * math::absolute(z));
    larger(sums.dual, static_cast<double>((all.non_negative ? -g : math::absolute(g)) / all.lambda));
  }
  BASIN_HOST_DEVICE void join(State& sums, const State& other) const {
    sums.product += other.product;
    sums.linear += other.linear;
    sums.norm += other.norm;
    larger(sums.dual, other.dual);
  }
  BASIN_HOST_DEVICE void finish(Index row, const State& sums) const {
    LassoRow& own = all.rows[row];
    if (own.found != 0) return;
    const double gap = lasso_gap(sums, static_cast<double>(all.constant[own.sample]),
                                 static_cast<double>(std::numeric_limits<T>::epsilon()));
    all.gap[own.sample] = gap;
    if (!last && gap > all.tolerance) return;
    all.steps[own.sample] = static_cast<double>(step);
    own.found = 1;
  }
  BASIN_HOST_DEVICE static void larger(double& most, double other) { most = other > most ? other : most; }
};

/// What rows that were just found hold is their samples' solution.
template <class T>
struct LeaveRows {
  LassoRows<T> all;
  Index step;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = i / all.codes, j = i - row * all.codes;
    const LassoRow& own = all.rows[row];
    if (own.found != 0 && all.steps[own.sample] == static_cast<double>(step))
      all.solution[own.sample * all.codes + j] = all.z[i];
  }
};

/// u = z + beta (z - before), before <- shrink(u - step (H u - q)): it becomes the next z. H u comes from the
/// products of z and of the one before.
template <class T>
struct MoveRows {
  LassoRows<T> all;
  bool first;
  using State = double;  // uphill
  struct Cursor {
    Index at, sample;
    T beta;
  };
  BASIN_HOST_DEVICE double next(const LassoRow& row) const {
    return all.momentum && !first ? next_t(row.t) : 1.0;
  }
  BASIN_HOST_DEVICE Cursor start(Index row) const {
    const LassoRow& own = all.rows[row];
    return {row * all.codes, own.sample * all.codes, static_cast<T>((own.t - 1.0) / next(own))};
  }
  BASIN_HOST_DEVICE State empty() const { return 0.0; }
  BASIN_HOST_DEVICE void add(State& uphill, const Cursor& cursor, Index j) const {
    const Index i = cursor.at + j;
    const T z = all.z[i], product = all.product[i];
    const T u = math::fma(cursor.beta, z - all.before[i], z);
    const T image = math::fma(cursor.beta, product - all.product_before[i], product);
    const T v = math::fma(-all.step, image - all.linear[cursor.sample + j], u), t = all.step * all.lambda;
    const T clipped = t < v ? t : v;
    const T moved = v - (all.non_negative ? clipped : -t > clipped ? -t : clipped);
    all.before[i] = moved;
    uphill += static_cast<double>((u - moved) * (moved - z));
  }
  BASIN_HOST_DEVICE void join(State& uphill, const State& other) const { uphill += other; }
  BASIN_HOST_DEVICE void finish(Index row, const State& uphill) const {
    LassoRow& own = all.rows[row];
    own.t = all.restart && uphill > 0.0 ? 1.0 : next(own);
  }
};

/// A row that takes the place of one that was found.
struct RowMove {
  Index from, to;
};

/// Rows that are wanted no more make room: an item is a code of a move.
template <class T>
struct CloseGaps {
  LassoRows<T> all;
  const RowMove* moves;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index which = i / all.codes, j = i - which * all.codes;
    const Index from = moves[which].from, to = moves[which].to;
    T* const arrays[] = {all.z, all.before, all.product, all.product_before};
    for (T* rows : arrays) rows[to * all.codes + j] = rows[from * all.codes + j];
    if (j == 0) all.rows[to] = all.rows[from];
  }
};

}  // namespace basin::cuda
