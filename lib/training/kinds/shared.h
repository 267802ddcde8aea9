#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/latent_minimum.h"
#include "models/encoder.h"
#include "training/kinds/kind.h"
#include "training/measures/codes.h"

/// What several kinds read and build alike.
namespace basin {

/// The key fuse: "auto" or "off".
Fuse read_fuse(const Config& table);

/// The keys that all dictionaries of codes share; model.atoms, filters and the like are their kinds' own.
struct CodeSettings {
  double lambda = 0.0;
  bool non_negative = false, from_data = false;
  bool encodes = false;
  double alpha = 1.0;
  EncoderKind encoder = EncoderKind::Shrinkage;
  std::string solver;  // "fista", "ista", "coordinate_descent"
  ProximalOptions proximal;
  InferOptions infer;
  Index dead_after = 0;
};

/// model.lambda, non_negative, start; of those with an encoder alpha and encoder.
void read_code_model(const Config& tables, const char* start, CodeSettings& settings);

/// [inference]: solver (one of `solvers`, the first by default), tolerance, max_steps, step, fuse; sets
/// tables.fuse.
void read_inference(StageTables& tables, const std::vector<std::string>& solvers, double tolerance,
                    Index max_steps, CodeSettings& settings);

/// What infers the codes z of y: from the encoder's guess where there is one, elements of norm 1, idle ones
/// replaced.
std::shared_ptr<const LatentMinimum> code_minimum(const CodeSettings& settings, const Variable& z,
                                                  const Variable& y,
                                                  const std::shared_ptr<const Module>& encoder,
                                                  std::optional<FactorGraph> inferred_by = std::nullopt);

/// Warns of a lambda from which all codes of these samples are zero.
void warn_of_lambda(const CodeSettings& settings, const FactorGraph& graph, const Variable& z,
                    const State& head, const Say& say);

/// Variables, encoder, measures and pictures of a stage of codes, of which stage.graph is there.
void complete_codes(Stage& stage, const Variable& y, Codes codes, Index shown);

}  // namespace basin
