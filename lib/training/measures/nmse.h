#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/generators/sparse_signals.h"
#include "energy/minimise/unroll/unroll.h"
#include "energy/transition.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage that recovers codes that are known, in more and more iterations or layers.
struct Recovery {
  static constexpr const char* kWhat = "codes that are known";

  struct Row {
    std::string method;
    std::vector<double> nmse;  // dB, one a depth
  };
  std::vector<Index> depths;
  /// Errors of the stage's network, whenever called, on so many test samples.
  std::function<std::function<std::vector<double>()>(Index samples)> network;
  /// Errors of the network and of what it competes with.
  std::function<std::vector<Row>(Index samples)> compare;
};

/// "nmse": errors against depth, /evaluation/depth and nmse/<method>; in epochs "nmse_test_<depth>".
Measure nmse_measure();

/// 10 log10(sum |code - x|^2 / sum |x|^2), in dB: the error of recovering sparse codes.
double nmse_db(const Value& code, const Value& x);

/// Errors after each of `depths` iterations of a transition from z = 0.
std::vector<double> nmse_of_iterations(const FactorGraph& graph, const Transition& transition,
                                       const Variable& y, const Variable& z,
                                       const SparseSignals::Batch& batch, const std::vector<Index>& depths);

/// Errors of a network's codes after each of `depths` layers; a hundred samples at a time, whose 64 layers
/// fit into memory with their tape.
std::vector<double> nmse_of_network(const Unrolled& net, const SparseSignals::Batch& batch,
                                    const std::vector<Index>& depths);

/// Errors of approximate message passing: z <- shrink(z + A'r, alpha |r| / sqrt(m)), r = y - A z + r_before
/// |z|_0 / m. Asks for a random A. Reference: Donoho, Maleki, Montanari 2009; threshold as in Borgerding,
/// Schniter, Rangan 2017, eq. 10.
std::vector<double> nmse_of_message_passing(const SparseSignals& signals, const SparseSignals::Batch& batch,
                                            double alpha, const std::vector<Index>& depths);

}  // namespace basin
