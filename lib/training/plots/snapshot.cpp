#include "training/plots/snapshot.h"

#include <algorithm>

#include "autograd/ops.h"
#include "results/pictures/picture.h"
#include "training/plots/layers.h"

namespace basin {
namespace {

constexpr Index kMostTiles = 100, kMostNumbers = Index{1} << 18;

Picturable all_weights(const Stage& stage, const Preprocessing& preprocessing) {
  if (const auto* dictionary = stage.facets.get<Dictionary>()) return atoms_of(*dictionary, preprocessing);
  return first_filters(need<NetworkLayers>(stage, "snapshots"), stage.inputs.at(0).variable.shape);
}

}  // namespace

void check_snapshot(const Stage& stage) {
  if (stage.facets.get<Dictionary>() != nullptr) return;
  if (const auto* layers = stage.facets.get<NetworkLayers>()) {
    (void)first_filters(*layers, stage.inputs.at(0).variable.shape);
    return;
  }
  refuse_facet("snapshots", Dictionary::kWhat, stage.kind);
}

Picturable snapshot(const Stage& stage, const Preprocessing& preprocessing) {
  Picturable weights = all_weights(stage, preprocessing);
  const Index count = weights.rows.dim(0), each = weights.rows.size() / count;
  const Index shown = std::min({count, kMostTiles, std::max<Index>(1, kMostNumbers / each)});
  weights.rows = on_host(slice(Value(weights.rows), 0, 0, shown).tensor());
  return weights;
}

}  // namespace basin
