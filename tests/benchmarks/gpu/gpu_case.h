#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace basin::benchmarks {

/// Where a case runs, and how large: a smoke run takes sizes of which nothing can be said.
struct Setting {
  Placement placement;
  bool smoke = false;

  Index size(Index full, Index small) const { return smoke ? std::min(full, small) : full; }
};

/// One task made ready: `run` does it once, `alone` its products of matrices by the device's library alone
/// (null where they say nothing). Arithmetic and the least traffic of memory are those of one run, counted by
/// hand.
struct Job {
  std::function<void()> run;
  std::function<void()> alone = {};
  double units = 1.0;  // of work
  double flops = 0.0;
  double bytes = 0.0;
};

/// A row of the table. Peers have the same names (peers.py).
struct Case {
  std::string part, name, unit;
  /// What the project wants of it: more than this many times eager's rate, compiled's rate; this share of the
  /// roofline. 0: nothing.
  double over_eager = 0.0, over_compiled = 0.0, share = 0.0;
  std::function<Job(const Setting&)> make;
};

std::vector<Case> rbm_cases();
std::vector<Case> sparse_cases();
std::vector<Case> network_cases();
std::vector<Case> sequence_cases();

/// All, in the order of the table.
std::vector<Case> all_cases();

/// Products of matrices of the sizes given, by Backend::gemm on tensors of their own.
std::function<void()> products(const Setting& setting, const std::vector<std::array<Index, 3>>& sizes,
                               Index times = 1);

/// Waits until the device has done what it was asked.
void wait_for(Placement placement);

}  // namespace basin::benchmarks
