#pragma once

#include <memory>
#include <vector>

#include "energy/graph.h"
#include "energy/objectives/latent_minimum.h"
#include "energy/sample/mean_field.h"
#include "modules/module.h"

namespace basin {

/// g(x) = E[b | given = x], [N, b.shape...], of a variable b that depends on nothing else: the encoder of a
/// model whose latents do not interact, and its decoder the other way round. Its parameters are those of the
/// factors that read b, by their names in the graph; it is differentiable in them and in x.
class ConditionalMean final : public Module {
 public:
  ConditionalMean(FactorGraph graph, Variable given, Variable wanted);

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;

 private:
  FactorGraph graph_;
  Variable given_, wanted_;
};

/// g(x) = the mean of the last of several units under mean field, given = x: of latents that interact. No
/// gradient reaches parameters or x through it. Throws Error where mean field does
/// (energy/sample/mean_field.h).
class MeanFieldMean final : public Module {
 public:
  MeanFieldMean(FactorGraph graph, Variable given, Block units);

  Value forward(const Value& x, const Context& context = {}) const override;

 private:
  FactorGraph graph_;
  Variable given_;
  MeanField transition_;
};

/// g(y) = argmin_z E(y, z), as an objective infers it. No gradient reaches parameters or y through it:
/// fine-tuning asks for an encoder, or an unrolled inference (energy/minimise/unroll).
class LatentArgmin final : public Module {
 public:
  LatentArgmin(FactorGraph graph, Variable given, std::shared_ptr<const LatentMinimum> minimum);

  Value forward(const Value& y, const Context& context = {}) const override;

 private:
  FactorGraph graph_;
  Variable given_;
  std::shared_ptr<const LatentMinimum> minimum_;
};

/// The encoder by default: the conditional mean of one latent, mean field of several; null where there are
/// none.
std::shared_ptr<const Module> latent_encoder(const FactorGraph& graph, const Variable& given,
                                             const Block& latents);

}  // namespace basin
