#pragma once

#include <memory>

#include "energy/graph.h"
#include "energy/objectives/latents/latent_minimum.h"
#include "modules/module.h"

namespace basin {

/// g(x) = E[b | given = x], [N, b.shape...], of a variable b that depends on nothing else: the encoder of a
/// model whose latents do not interact, and its decoder the other way round. Its parameters are those of the
/// factors that read b, by their names in the graph; it is differentiable in them and in x.
std::shared_ptr<const Module> conditional_mean(const FactorGraph& graph, const Variable& given,
                                               const Variable& wanted);

/// The same before its last nonlinearity: Conditional::input (energy/marginal/conditional.h), the logits of
/// binary b.
std::shared_ptr<const Module> conditional_input(const FactorGraph& graph, const Variable& given,
                                                const Variable& wanted);

/// g(y) = argmin_z E(y, z), as an objective infers it. No gradient reaches parameters or y through it:
/// fine-tuning asks for an encoder, or an unrolled inference (energy/minimise/unroll).
std::shared_ptr<const Module> latent_argmin(const FactorGraph& graph, const Variable& given,
                                            std::shared_ptr<const LatentMinimum> minimum);

/// The encoder by default: the conditional mean of one latent; of several, which interact, the mean of the
/// last under mean field, through which no gradient reaches parameters or x and which throws Error where mean
/// field does (energy/sample/mean_field.h); null where there are none.
std::shared_ptr<const Module> latent_encoder(const FactorGraph& graph, const Variable& given,
                                             const Block& latents);

}  // namespace basin
