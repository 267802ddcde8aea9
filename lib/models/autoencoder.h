#pragma once

#include <memory>
#include <string_view>

#include "energy/fuse.h"
#include "energy/graph.h"
#include "energy/objectives/latents/activity_sparsity.h"
#include "energy/objectives/objective.h"
#include "modules/module.h"
#include "modules/sequential/sequential.h"
#include "tensor/key.h"

namespace basin {

/// What a denoising auto-encoder sees instead of x.
enum class Corruption {
  None,
  Gaussian,      // x + amount * normal
  Masking,       // each number is 0 with probability `amount`
  SaltAndPepper  // each number is, with probability `amount`, 0 or 1 by a fair coin
};

/// "none", "gaussian", "masking", "salt_and_pepper". Throws Error on any other name.
Corruption parse_corruption(std::string_view name);

/// x corrupted under `key`, of the shape of x. Reference: Vincent, Larochelle, Lajoie, Bengio, Manzagol 2010,
/// "Stacked denoising autoencoders", sec. 3.3.
Tensor corrupted(const Tensor& x, Corruption kind, double amount, Key key);

/// How codes and reconstructions are computed from their total input.
enum class CodeUnit { Sigmoid, Tanh, Relu, Softplus, Linear };
enum class Reconstruction {
  Linear,   // r = D h + c, energy 1/2 |x - r|^2
  Sigmoid,  // r = sigma(D h + c), energy 1/2 |x - r|^2
  Logits    // r = sigma(D h + c), energy the cross-entropy of x in [0, 1]
};
CodeUnit parse_code_unit(std::string_view name);  // "sigmoid", "tanh", "relu", "softplus", "linear"
Reconstruction parse_reconstruction(std::string_view name);  // "linear", "sigmoid", "cross_entropy"

struct AutoencoderOptions {
  Shape sample_shape = {};  // of one x
  Index codes = 0;
  CodeUnit units = CodeUnit::Sigmoid;
  Reconstruction reconstruction = Reconstruction::Logits;
  bool tied = true;  // D = W'
  Corruption corruption = Corruption::None;
  double amount = 0.0;       // of corruption
  double contractive = 0.0;  // weight of |dh/dx|_F^2; 0: none
  double saturating = 0.0;   // weight of sum_j c(a_j), how far the inputs a of the codes are from where they
                             // do not react: relu max(0, a), sigmoid, tanh and softplus their slope
  double sparse = 0.0;       // weight of |h|_1
  ActivitySparsityOptions activity = {.cost = 0.0};  // of codes that are sigmoid
  Fuse fuse = Fuse::Auto;                            // of the contractive term
  Key key;                                           // no default: weights are not drawn without one
};

/// An auto-encoder as a graph over the clean x and over what the encoder sees.
struct Autoencoder {
  FactorGraph graph;
  Variable x, seen;  // the same variable where nothing is corrupted
  std::shared_ptr<const Sequential>
      encoder;  // x -> h: Flatten, Linear and the nonlinearity, [N, ...] -> [N, codes]
  std::shared_ptr<const Module> decoder;  // h -> the decoder's input to its last nonlinearity
  Reconstruction reconstruction = Reconstruction::Linear;
  Corruption corruption = Corruption::None;
  double amount = 0.0;
  ActivitySparsityOptions activity = {};

  /// Codes of clean samples, [N, codes].
  Value encode(const Value& x) const;
  /// Reconstructions of codes, [N, x.size()].
  Value decode(const Value& h) const;
  /// Gives a batch of x what the encoder sees, drawn under `key`.
  State prepared(const State& batch, Key key) const;
  /// Lowers the mean energy.
  std::unique_ptr<Objective> objective() const;
};

/// E(x, s) = distance(x, r(h(s))) + contractive |dh/dx|^2 at s, h(s) = f(W's + b), s = x or x corrupted.
///
/// Beside that saturating sum c(Ws + b) (Goroshin, LeCun 2013, "Saturating auto-encoders", eq. 1 and sec. 3.4
/// of smooth units), sparse |h|_1, and in the objective, of a batch, ActivitySparsity.
///
/// Variables "x" and, for denoising, "seen"; parameters "<s>.x.encoder.1.weight" [x.size(), codes] (Glorot's,
/// under key.fold("encoder")), "<s>.x.encoder.1.bias", "<s>.x.decoder.weight" [codes, x.size()] unless tied,
/// "<s>.x.decoder.bias". Throws Error when a size is missing or an amount is not one. References: Rumelhart,
/// Hinton, Williams 1986; Vincent et al. 2010; Rifai et al. 2011.
Autoencoder autoencoder(const AutoencoderOptions& options);

}  // namespace basin
