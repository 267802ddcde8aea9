#include "training/plots/samples.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/gibbs.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/measures/likelihood.h"
#include "training/plots/images.h"
#include "training/plots/rolls.h"

namespace basin {
namespace {

Value first_states(const StageView& view, const Sampling& how, Key key) {
  const Placement placement = view.stage.graph.placement();
  const Value particles = particles_of(view.carry, how.visible, how.chains, placement);
  if (particles.defined()) return particles;
  const Shape shape = batched(how.visible, how.chains);
  if (how.visible.domain == Domain::Binary) return bernoulli(key, Tensor::full(shape, 0.5, placement));
  const Value normals = normal(key, shape, placement);
  return how.visible.domain == Domain::NonNegative ? abs(normals) : normals;
}

}  // namespace

void check_samples(const Stage& stage) {
  const auto* sequences = stage.facets.get<SequencePredictions>();
  if (sequences == nullptr) {
    need<Sampling>(stage, "samples");
  } else if (!sequences->steps || sequences->x.domain != Domain::Binary || !(sequences->x == sequences->y)) {
    throw Error(
        "[samples] expected a net that foretells the next bits of its sequences, received another; of "
        "symbols results.text asks for a text");
  }
}

Tensor fantasies(const StageView& view, const Sampling& how, Fantasy shown) {
  const FactorGraph& graph = view.stage.graph;
  const Block v{how.visible}, h{how.hidden};
  const Key key = view.stage.key.fold("samples");
  State state = State().set(how.visible, first_states(view, how, key.fold("start")));
  // The last sweep draws h last, so that v can be shown as the mean that h expects.
  state = gibbs(graph, BlockGibbs({h, v}), state, how.steps, key.fold("gibbs"), how.fuse);
  if (shown == Fantasy::States) return state[how.visible].tensor();
  state = BlockGibbs({h})(graph, state, key.fold("last"));
  return conditional(graph, v, state).front().mean().tensor();
}

/// Mean visible states of fantasies.
///
/// Of a recurrent net that foretells bits: piano rolls that it makes up.
void draw_samples(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  if (const auto* sequences = view.stage.facets.get<SequencePredictions>())
    return draw_rolls(drawing, view, *sequences);
  const auto& how = need<Sampling>(view.stage, "samples");
  TileOptions tiles = sized(drawing.tiles, how.visible.shape);
  tiles.is_signed = how.visible.domain == Domain::Real;
  tiles.sort_by_norm = false;
  save_tiles(drawing, fmt::format("{}: samples after {} sweeps", drawing.title, how.steps),
             {tile(on_host(fantasies(view, how, Fantasy::Means)), tiles)}, {}, tiles);
}

}  // namespace basin
