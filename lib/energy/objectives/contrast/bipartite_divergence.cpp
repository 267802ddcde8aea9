#include "energy/objectives/contrast/bipartite_divergence.h"

#include <array>
#include <string>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/objectives/contrast/persistent_chains.h"

namespace basin {
namespace {

void column_sums(const Tensor& x, double alpha, double beta, const Tensor& sums) {
  backend(x.device()).column_sums(x.dtype(), x.data(), x.dim(0), x.dim(1), alpha, beta, sums.data());
}

void add(double alpha, const Tensor& x, double beta, const Tensor& y) {
  backend(x.device()).axpby(x.dtype(), alpha, x.data(), beta, y.data(), x.size());
}

/// y[n, j] = op(a[n, j], row[j]).
void with_row(Binary op, const Tensor& a, const Tensor& row, const Tensor& y) {
  backend(a.device()).binary(op, a.dtype(), a.data(), {a.dim(1), 1}, row.data(), {0, 1}, y.data(), a.shape());
}

void multiply(const Tensor& a, const Tensor& b, const Tensor& y) {
  backend(a.device()).binary(Binary::Mul, a.dtype(), a.data(), {1}, b.data(), {1}, y.data(), {a.size()});
}

/// Values of the visible and means of the hidden units in one phase, [rows, size] each, and the total input
/// of hidden units (where they are not non-negative it has become their mean).
struct Side {
  std::string name;
  Tensor visible = {}, hidden = {}, input = {};
  double share = 0.0;  // of a row in the mean
};

}  // namespace

bool covers(const Bipartite& pattern, const ContrastTerms& terms) {
  const auto* exact = std::get_if<Exact>(&terms.positive);
  const Chains* chains = terms.chains();
  if (exact == nullptr || chains == nullptr || terms.freed.size() != 1) return false;
  const std::vector<Block>* blocks = chains->transition->gibbs_blocks();
  const Variable& visible = terms.freed.front();
  const int side = pattern.side(visible);
  if (blocks == nullptr || side < 0) return false;
  const BipartiteLayer& hidden = pattern.layers[static_cast<std::size_t>(1 - side)];
  if (chains->options.eliminated && *chains->options.eliminated != Block{hidden.variable}) return false;
  // Chains that begin at the data draw the hidden units first, those that persist have them.
  const bool persistent = chains->options.persistent != 0;
  const std::vector<Block> order = persistent ? std::vector<Block>{{visible}, {hidden.variable}}
                                              : std::vector<Block>{{hidden.variable}, {visible}};
  return *blocks == order && (terms.options.sparsity.cost == 0.0 || hidden.unit == Unit::Binary);
}

ContrastStatistics bipartite_divergence(const FactorGraph& graph, const Bipartite& pattern,
                                        const ContrastTerms& terms, const PhaseCall& freed, Carry& carry,
                                        const EvaluateOptions& evaluation, Scratch& scratch) {
  const ContrastOptions& options = terms.options;
  const ChainsOptions& moves = terms.chains()->options;
  const bool persistent = moves.persistent != 0;
  const State& batch = freed.start;
  const int sv = pattern.side(terms.freed.front()), sh = 1 - sv;
  const BipartiteLayer& v = pattern.layers[static_cast<std::size_t>(sv)];
  const BipartiteLayer& h = pattern.layers[static_cast<std::size_t>(sh)];
  const BipartiteNumbers model(pattern, graph, scratch, "model");
  const BipartiteNumbers mover =
      freed.moving.empty() ? model : BipartiteNumbers(pattern, graph, scratch, "mover", freed.moving);
  const Placement placement = model.placement();
  const Key gibbs = freed.key.fold("gibbs");
  const auto work = [&](const std::string& name, Index rows, const BipartiteLayer& layer) {
    return scratch.get(name, {rows, layer.variable.size()}, placement);
  };
  const auto draw_key = [&](Index sweep, std::uint64_t block, const BipartiteLayer& layer) {
    return gibbs.fold(static_cast<std::uint64_t>(sweep)).fold(block).fold(layer.variable.name).bits();
  };
  const bool keep_input = h.unit == Unit::NonNegative;

  // Positive phase: means of the latents given the data, and where chains begin there, a draw of them.
  Side data{.name = "data", .visible = bipartite_rows(pattern, sv, batch[v.variable].tensor(), placement)};
  const Index samples = data.visible.dim(0);
  data.share = 1.0 / static_cast<double>(samples);
  data.input = work("data.input", samples, h);
  data.hidden = keep_input ? work("data.hidden", samples, h) : data.input;
  model.product(sv, data.visible, data.input);
  Tensor drawn = persistent ? Tensor() : work("chain.hidden", samples, h);
  Index first_row = batch.context().own_row();
  model.units(sh, data.input,
              {.key = draw_key(0, 0, h), .mean = data.hidden, .sample = drawn, .first_row = first_row});

  // Negative phase: chains move in place.
  Side chain{.name = "chain"};
  if (persistent) {
    PersistentChains kept(graph, freed, carry, moves);
    const State start = kept.begin();
    kept.keep(start);
    first_row = start.context().own_row();
    chain.visible = bipartite_rows(pattern, sv, start[v.variable].tensor(), placement);
    drawn = bipartite_rows(pattern, sh, start[h.variable].tensor(), placement);
  } else {
    chain.visible = work("chain.visible", samples, v);
  }
  const Index chains = chain.visible.dim(0);
  chain.share = 1.0 / static_cast<double>(chains);
  chain.input = work("chain.input", chains, h);
  chain.hidden = keep_input ? work("chain.hidden_mean", chains, h) : chain.input;
  const std::uint64_t block_v = persistent ? 0 : 1, block_h = 1 - block_v;
  for (Index i = 0; i < moves.steps; ++i) {
    const bool last = i + 1 == moves.steps;
    mover.product(sh, drawn, chain.visible);
    mover.units(sv, chain.visible,
                {.key = draw_key(i, block_v, v), .sample = chain.visible, .first_row = first_row});
    // The last draw of the latents is only wanted where chains go on from it, and the last mean only of the
    // model itself.
    const bool draws = persistent || !last, means = last && freed.moving.empty();
    if (!draws && !means) continue;
    mover.product(sv, chain.visible, chain.input);
    mover.units(sh, chain.input,
                {.key = draw_key(persistent ? i : i + 1, block_h, h),
                 .mean = means ? chain.hidden : Tensor(),
                 .sample = draws ? drawn : Tensor(),
                 .first_row = first_row});
  }
  if (!freed.moving.empty()) {
    model.product(sv, chain.visible, chain.input);
    model.units(sh, chain.input, {.mean = chain.hidden});
  }

  // Statistics. For every side dF/db = -mean, dF/ds = 1/2 exp(s) E[x^2]; the loss takes data minus chains.
  ContrastStatistics result;
  result.data = batch;
  result.gradients.resize(graph.parameters().size());
  result.means.resize(graph.variables().size());
  const auto gradient = [&](int parameter) -> Gradient& {
    return result.gradients[static_cast<std::size_t>(parameter)];
  };
  const auto wanted = [&](int parameter) {
    return parameter >= 0 && evaluation.wanted(static_cast<std::size_t>(parameter));
  };
  const auto mean_of = [&](const BipartiteLayer& layer, const Tensor& x, const Tensor& y) {
    if (!wanted(layer.bias)) return;
    const Shape shape{layer.variable.size()};
    const Tensor& g = scratch.get("bias." + layer.variable.name, shape, placement);
    column_sums(x, -data.share, 0.0, g);
    if (options.centring > 0.0) {
      Tensor& mean = result.means[static_cast<std::size_t>(layer.variable.index)];
      mean = scratch.get("mean." + layer.variable.name, shape, placement);
      add(-1.0, g, 0.0, mean);
    }
    column_sums(y, chain.share, 1.0, g);
    // (data + chains) / 2 = data + (chains - data) / 2.
    if (options.centring > 0.0 && options.offsets == Offsets::Average)
      add(0.5, g, 1.0, result.means[static_cast<std::size_t>(layer.variable.index)]);
    gradient(layer.bias) = Gradient(g);
  };
  mean_of(v, data.visible, chain.visible);
  mean_of(h, data.hidden, chain.hidden);

  const auto second_moments = [&](const BipartiteLayer& layer, const Side& phase, double scale, double beta,
                                  const Tensor& sums) {
    const bool latent = &layer == &h;
    const Tensor& x = latent ? phase.hidden : phase.visible;
    const Tensor& squares = work(phase.name + ".squares." + layer.variable.name, x.dim(0), layer);
    if (latent && layer.unit == Unit::NonNegative) {
      // exp(s) E[h^2] = a E[h] + 1 of a truncated normal, a = x W + c; the 1 cancels.
      with_row(Binary::Add, phase.input, model.bias(sh), squares);
      multiply(squares, x, squares);
    } else {
      // Of Gaussian latents E[h^2] = mean^2 + exp(-s); the second term cancels.
      multiply(x, x, squares);
    }
    column_sums(squares, 0.5 * scale, beta, sums);
  };
  for (const BipartiteLayer* layer : {&v, &h}) {
    if (!wanted(layer->log_precision)) continue;
    const std::string& name = layer->variable.name;
    const Tensor& sums = scratch.get("precision." + name, {layer->variable.size()}, placement);
    second_moments(*layer, data, data.share, 0.0, sums);
    second_moments(*layer, chain, -chain.share, 1.0, sums);
    if (layer == &v || layer->unit == Unit::Gaussian)
      multiply(sums, model.precision(layer == &v ? sv : sh), sums);
    gradient(layer->log_precision) = Gradient(sums);
  }

  if (options.sparsity.cost > 0.0) {
    // d penalty / d a_nj = cost (q_j - target) / N q_nj (1 - q_nj), q_j the mean over n; it joins the
    // statistics of the data as h_nj - N times that, so that the product with v+ serves both.
    const Tensor& excess = scratch.get("sparsity", {h.variable.size()}, placement);
    excess.fill(-options.sparsity.cost * options.sparsity.target);
    column_sums(data.hidden, options.sparsity.cost * data.share, 1.0, excess);
    if (evaluation.reduce) evaluation.reduce(std::array{excess}, samples);
    const Tensor& slope = work("sparsity.slope", samples, h);
    multiply(data.hidden, data.hidden, slope);
    add(1.0, data.hidden, -1.0, slope);
    with_row(Binary::Mul, slope, excess, slope);
    if (wanted(h.bias)) column_sums(slope, data.share, 1.0, gradient(h.bias).dense());
    add(-1.0, slope, 1.0, data.hidden);
  }
  if (wanted(pattern.weight)) {
    for (const Side* phase : {&data, &chain}) {
      const double share = phase == &data ? -phase->share : phase->share;
      gradient(pattern.weight)
          .add({share, sv == 0 ? phase->visible : phase->hidden, sv == 0 ? phase->hidden : phase->visible});
    }
  }
  if (evaluation.metrics) {
    const State negative = batch.like().set(v.variable, chain.visible.reshaped(batched(v.variable, chains)));
    result.loss =
        (mean(free_energy(graph, freed.latents, batch)) - mean(free_energy(graph, freed.latents, negative)))
            .item();
  }
  return result;
}

}  // namespace basin
