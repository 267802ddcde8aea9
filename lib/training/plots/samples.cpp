#include "training/plots/samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "config/article.h"
#include "energy/marginal/conditional.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/gibbs.h"
#include "tensor/error.h"
#include "training/measures/bound.h"
#include "training/measures/likelihood.h"
#include "training/plots/images.h"
#include "training/plots/rolls.h"

namespace basin {
namespace {

Value first_states(const StageView& view, const Variable& layer, Index chains, Key key) {
  const Placement placement = view.stage.graph.placement();
  const Value particles = particles_of(view.carry, layer, chains, placement);
  return particles.defined() ? particles : noise_of(layer, chains, key, placement);
}

/// One-hot labels of the chains: those given, or all in turn.
Value first_labels(const Stage& stage, const Sampling& how, const std::vector<std::int32_t>& clamped) {
  const Index classes = how.label->size();
  std::vector<double> numbers(static_cast<std::size_t>(how.chains * classes));
  for (Index n = 0; n < how.chains; ++n) {
    const Index label = clamped.empty() ? n % classes : clamped.at(static_cast<std::size_t>(n));
    numbers[static_cast<std::size_t>(n * classes + label)] = 1.0;
  }
  return Tensor::from(numbers, {how.chains, classes}, stage.graph.placement());
}

/// The place of the largest number of each row.
std::vector<std::int32_t> categories(const Value& one_hot) {
  const std::vector<double> numbers = one_hot.tensor().values();
  std::vector<std::int32_t> found;
  for (auto row = numbers.begin(); row != numbers.end(); row += one_hot.dim(1))
    found.push_back(static_cast<std::int32_t>(std::max_element(row, row + one_hot.dim(1)) - row));
  return found;
}

}  // namespace

void check_samples(const Stage& stage) {
  const auto* sequences = stage.facets.get<SequencePredictions>();
  if (sequences == nullptr) {
    need<Sampling>(stage, "samples");
  } else if (!sequences->makes_up_frames()) {
    throw Error(
        "[samples] expected a net that foretells the next bits of its sequences, received another; of "
        "symbols results.text asks for a text");
  }
}

Fantasies fantasies(const StageView& view, const Sampling& how, Fantasy shown,
                    const std::vector<std::int32_t>& clamped) {
  const auto* below = view.stage.facets.get<BeliefNet>();
  const FactorGraph& graph = below ? below->net.top : view.stage.graph;
  for (const std::int32_t label : clamped) {
    if (how.label && label >= 0 && label < how.label->size()) continue;
    throw Error(
        how.label
            ? fmt::format("[sample] expected a label below {}, received {}", how.label->size(), label)
            : fmt::format(
                  "[sample] expected a stage of samples and labels for label {}, received {}; leave it out",
                  label, with_article(view.stage.kind)));
  }
  const Block v = how.visible_block(), h = how.hidden_block();
  const Key key = view.stage.key.fold("samples");
  State state = State().set(how.visible, first_states(view, how.visible, how.chains, key.fold("start")));
  for (const Variable& layer : how.with_visible)
    state.set(layer, first_states(view, layer, how.chains, key.fold("start").fold(layer.name)));
  if (how.label) state.set(*how.label, first_labels(view.stage, how, clamped));
  Block freed = v;
  if (how.label && clamped.empty()) freed.push_back(*how.label);
  // The last sweep draws h last, so that v can be shown as the mean that h expects.
  state = gibbs(graph, BlockGibbs({h, freed}), state, how.steps, key.fold("gibbs"), how.fuse);
  Fantasies found;
  if (how.label) found.labels = categories(state[*how.label]);
  if (below != nullptr) {
    const Bottom bottom = shown == Fantasy::States ? Bottom::States : Bottom::Means;
    found.samples = descend(below->net, state[how.visible], key.fold("down"), bottom).front().tensor();
    return found;
  }
  if (shown == Fantasy::Means) {
    state = BlockGibbs({h})(graph, state, key.fold("last"));
    found.samples = conditional(graph, {how.visible}, state).front().mean().tensor();
  } else {
    found.samples = state[how.visible].tensor();
  }
  return found;
}

/// Mean visible states of fantasies, a row for each label where there are labels.
///
/// Of a recurrent net that foretells bits: piano rolls that it makes up.
void draw_samples(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  if (const auto* sequences = view.stage.facets.get<SequencePredictions>())
    return draw_rolls(drawing, view, *sequences);
  Sampling how = need<Sampling>(view.stage, "samples");
  const auto* below = view.stage.facets.get<BeliefNet>();
  const Variable& shown = below ? below->net.samples() : how.visible;
  TileOptions tiles = sized(drawing.tiles, shown.shape);
  tiles.is_signed = shown.domain == Domain::Real;
  tiles.sort_by_norm = false;
  std::vector<std::int32_t> labels;
  if (how.label) {
    const Index each = std::max<Index>(1, how.chains / how.label->size());
    for (Index n = 0; n < each * how.label->size(); ++n)
      labels.push_back(static_cast<std::int32_t>(n / each));
    how.chains = static_cast<Index>(labels.size());
    tiles.columns = static_cast<int>(each);
  }
  save_tiles(drawing, fmt::format("{}: samples after {} sweeps", drawing.title, how.steps),
             {tile(on_host(fantasies(view, how, Fantasy::Means, labels).samples), tiles)}, {}, tiles);
}

}  // namespace basin
