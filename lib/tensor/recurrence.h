#pragma once

#include <span>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace basin {

/// A gated cell as a function of its total input a + h U, with h (and c) the state before the step; logistic
/// s(x) = 1 / (1 + e^-x).
///   Lstm  i, f, g, o = s, s, tanh, s (a + h U);  c' = f c + i g;  h' = o tanh(c')
///         Hochreiter, Schmidhuber 1997, "Long short-term memory"; Gers, Schmidhuber, Cummins 2000 (f)
///   Gru   r, z = s, s (a + h U);  n = tanh(a_n + r q), q = h U_n + b;  h' = (1 - z) n + z h
///         Cho et al. 2014; the reset gate multiplies the product, as in cuDNN
enum class GatedCell { Lstm, Gru };

inline Index gates_of(GatedCell cell) { return cell == GatedCell::Lstm ? 4 : 3; }
/// Vectors of a state: h, and c of an LSTM.
inline Index states_of(GatedCell cell) { return cell == GatedCell::Lstm ? 2 : 1; }

/// What both passes over all steps of a gated layer have in common. With G gates and S states, H hidden
/// units, gates and states one after another: step t of row n happens where t < lengths[n], in the order
/// 0, 1, ... or from the last step down where reversed; elsewhere the state stays, outputs and gradients are
/// 0. A row's numbers do not depend on other rows, nor on the number of threads.
struct RecurrenceSizes {
  Dtype dtype = Dtype::F32;
  GatedCell cell = GatedCell::Lstm;
  bool reversed = false;
  Index rows = 0, steps = 0, hidden = 0;
  std::span<const Index> lengths = {};  // [rows], host memory, each in 0 .. steps; empty: all steps

  bool is_active(Index row, Index step) const {
    return lengths.empty() || step < lengths[static_cast<std::size_t>(row)];
  }
  Index gates() const { return gates_of(cell); }
  Index states() const { return states_of(cell); }
  Index output_size() const { return rows * steps * hidden; }
};

/// What the forward pass leaves for the gradient.
struct RecurrenceRecord {
  void* gates = nullptr;     // [rows, steps, 4 H]: i, f, g, o; of a Gru r, z, n, q
  void* cells = nullptr;     // [rows, steps, H]: c'; null of a Gru
  void* previous = nullptr;  // [rows, steps, H]: h before the step, 0 where there is none
};

struct RecurrenceForward : RecurrenceSizes {
  const void* input = nullptr;   // a [rows, steps, G H]
  const void* weight = nullptr;  // U [H, G H]
  const void* bias = nullptr;    // b [H] of a Gru; null of an Lstm
  const void* start = nullptr;   // [rows, S H]
  void* output = nullptr;        // h' [rows, steps, H]
  void* end = nullptr;           // [rows, S H]
  RecurrenceRecord record = {};  // null: no gradient is wanted
};

/// The gradients of sum(output . d_output). That of U is previous' d_product, that of b the sum of
/// d_product's last H columns.
struct RecurrenceBackward : RecurrenceSizes {
  const void* weight = nullptr;
  const void* start = nullptr;
  RecurrenceRecord record = {};
  const void* d_output = nullptr;  // [rows, steps, H]
  void* d_input = nullptr;         // [rows, steps, G H]
  void* d_product = nullptr;       // of h U, the same; null of an Lstm, where it is d_input
  void* d_start = nullptr;         // [rows, S H]
};

}  // namespace basin
