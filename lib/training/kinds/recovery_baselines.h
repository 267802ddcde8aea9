#pragma once

#include <vector>

#include "data/generators/sparse_signals.h"
#include "energy/minimise/unroll/unroll.h"
#include "energy/transition.h"

namespace basin {

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
