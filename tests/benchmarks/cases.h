#pragma once

#include "benchmarks/measure.h"

namespace basin::benchmarks {

/// Lasso codes of 10,000 patches (sparse_encode_*), by FISTA (fista_*) and by the derived path (derived_*).
void sparse_encode(const Arguments& arguments);

/// Moves of FISTA on images with 64 filters (conv_fista_*), fused and derived (derived_*); "conv_sparse" and
/// "derived_conv_sparse" name them all.
void conv_sparse(const Arguments& arguments);

/// An epoch of online dictionary learning from 10,000 patches (dict_learn_*), and the derived path's rate
/// (derived_*).
void dict_learn(const Arguments& arguments);

/// Training of LeNet-5 and of a net of two convolutions, 32 and 64 maps, by batches of 128 (convnet_*).
void convnet(const Arguments& arguments);
/// Steps of training an LSTM on symbols (lstm_*), and those of composed ops (derived_*).
void lstm(const Arguments& arguments);
/// Training of a deep auto-encoder, 784-1000-500-250-30 and back, by batches of 128 and 1000 (deep_ae_*).
void deep_ae(const Arguments& arguments);
/// Langevin steps of 128 chains on the energy of a net, 784-512-512-1 (langevin_*).
void langevin(const Arguments& arguments);

}  // namespace basin::benchmarks
