#include "training/kinds/recurrent_keys.h"

#include "autograd/recurrence.h"

namespace basin {
namespace {

/// Beyond which a typing error is likelier.
constexpr Index kMostLayers = 1000;
/// Of piano rolls in a picture, which are kept step by step.
constexpr Index kMostRolls = 100, kMostSteps = 10000;

}  // namespace

void read_cells(const Reader& model, RecurrentModelOptions& options) {
  StackOptions& stack = options.stack;
  RecurrentOptions& layer = stack.layer;
  layer.cell = parse_recurrent_cell(model.table().choice("cell", {"elman", "jordan", "lstm", "gru"}, "lstm"));
  layer.embedding = model.count("embedding", 0, 0);
  stack.layers = model.count("layers", 1, 1, kMostLayers);
  stack.dropout = options.dropout = model.within("dropout", 0.0, 1.0, 0.0);
  if (layer.cell == RecurrentCell::Lstm) {
    layer.peepholes = model.table().boolean("peepholes", false);
    layer.forget_bias = model.within("forget_bias", -kInfinity, kInfinity, 1.0);
  }
  if (layer.cell == RecurrentCell::Elman || layer.cell == RecurrentCell::Jordan) {
    layer.unit = model.table().choice("unit", {"tanh", "relu"}, "tanh") == "tanh" ? RecurrentUnit::Tanh
                                                                                  : RecurrentUnit::Relu;
  }
}

void read_roll_picture(const Reader& results, Index& rolls, Index& steps) {
  // No part of an experiment that does not say them.
  if (results.table().has("sample_chains"))
    rolls = results.count("sample_chains", 1, std::nullopt, kMostRolls);
  if (results.table().has("sample_steps")) steps = results.count("sample_steps", 1, std::nullopt, kMostSteps);
}

Rules rules_of(const RecurrentOptions& layer, Placement placement) {
  const bool is_gated = layer.cell == RecurrentCell::Lstm || layer.cell == RecurrentCell::Gru;
  return is_gated && !layer.peepholes && are_fused(layer.steps, placement.device) ? Rules{"recurrence"}
                                                                                  : Rules{};
}

}  // namespace basin
