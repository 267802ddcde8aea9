#pragma once

#include "energy/marginal/closed_form.h"

namespace basin {

/// log sum_x exp(s(x)), or max_x s(x), [N], over one-hot codes x_1 .. x_T with scores s(x) = sum_t u_t.x_t +
/// sum_t x_t' A_t x_t+1, by the forward algorithm in log space:
///   a_1 = u_1,  a_t+1,j = u_t+1,j + log sum_i exp(a_t,i + A_t,ij)  (or the max over i).
/// The gradient of the sum is p(x_t) and p(x_t, x_t+1), from one pass backward; derivatives of higher order
/// are those of the steps. Scores u [N, T, K], A [K, K] or [N, T - 1 or 1, K, K]; `lengths` [N], undefined:
/// all T; positions past a length are no part of the sum. Time and memory are linear in T. Throws Error for
/// lengths outside 1 .. T. Reference: Rabiner 1989, "A tutorial on hidden Markov models", eq. 18-27;
/// Lafferty, McCallum, Pereira 2001.
Value chain_total(const ChainScores& scores, const Tensor& lengths, Elimination how);

/// A draw x ~ exp(s(x)) / Z, [N, T, K], backward from a_t of the same scores: x_T ~ softmax(a_T),
/// x_t ~ softmax(a_t + A_t x_t+1), position t under key.fold(t), row n with the draws of row first + n. Zeros
/// past a sequence's end.
Tensor sample_chain(const ChainScores& scores, const Tensor& lengths, Key key, Index first = 0);

}  // namespace basin
