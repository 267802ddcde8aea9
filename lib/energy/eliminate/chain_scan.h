#pragma once

#include <vector>

#include "energy/marginal/closed_form.h"

namespace basin {

/// The forward algorithm over one-hot codes x_1 .. x_T with scores s(x) = sum_t u_t.x_t + sum_t x_t' A_t
/// x_t+1, in log space:  a_1 = u_1,  a_t+1,j = u_t+1,j + log sum_i exp(a_t,i + A_t,ij)  (or the max over i).
struct ChainScan {
  Value total;               // log sum_x exp(s(x)), or max_x s(x), [N]
  std::vector<Value> alpha;  // a_t, [N, K] each; past a sequence's end that of its end
};

/// Scores u [N, T, K], A [K, K] or [N, T - 1 or 1, K, K]; `lengths` [N], undefined: all T; positions past a
/// length are no part of the sum. Differentiable; time and memory are linear in T, backward too. Throws Error
/// for lengths outside 1 .. T. Reference: Rabiner 1989, "A tutorial on hidden Markov models", eq. 18-21;
/// Lafferty, McCallum, Pereira 2001.
ChainScan chain_scan(const ChainScores& scores, const Tensor& lengths, Elimination how);

/// A draw x ~ exp(s(x)) / Z, [N, T, K], backward from a scan of the same scores: x_T ~ softmax(a_T),
/// x_t ~ softmax(a_t + A_t x_t+1), position t under key.fold(t), row n with the draws of row first + n. Zeros
/// past a sequence's end.
Tensor sample_chain(const ChainScores& scores, const Tensor& lengths, Key key, Index first = 0);

}  // namespace basin
