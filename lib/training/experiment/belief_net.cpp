#include "training/experiment/belief_net.h"

#include <algorithm>
#include <utility>

#include "training/everywhere.h"
#include "training/measures/bound.h"
#include "training/measures/sampling.h"

namespace basin {

void join_below(Stage& top, std::span<const Stage> below, std::function<const Dataset&()> data) {
  const auto* tip = top.facets.get<Sampling>();
  // A machine of more than two layers is no layer of a belief net, nor its top.
  if (tip == nullptr || !tip->is_two_layers() || below.empty()) return;
  DeepBelief net{.layers = {}, .top = top.graph, .visible = tip->visible, .latents = {tip->hidden}};
  if (tip->label) net.latents.push_back(*tip->label);
  if (top.facets.get<Everywhere>() != nullptr) return;
  for (const Stage& stage : below) {
    const auto* layer = stage.facets.get<Sampling>();
    if (layer == nullptr || layer->label || !layer->is_two_layers() ||
        stage.facets.get<Everywhere>() != nullptr)
      return;
    net.layers.push_back({stage.graph, layer->visible, layer->hidden});
  }
  if (!fits(net)) return;
  if (std::ranges::find(top.measures, "likelihood") != top.measures.end()) top.measures.emplace_back("bound");
  top.facets.set(BeliefNet{std::move(net), below.front(), std::move(data)});
}

}  // namespace basin
