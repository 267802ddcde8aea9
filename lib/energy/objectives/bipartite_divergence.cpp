#include "energy/objectives/bipartite_divergence.h"

#include <string>

#include "energy/objectives/carried.h"

namespace basin {
namespace {

std::uint64_t draw_key(Key key, Index sweep, std::uint64_t block, const Variable& variable) {
  return key.fold(static_cast<std::uint64_t>(sweep)).fold(block).fold(variable.name).bits();
}

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

}  // namespace

/// One side of one phase as its statistics need it: rows [N, size], and the total input of non-negative
/// latents.
struct BipartiteDivergence::Phase {
  std::string name;
  Tensor visible = {};  // values
  Tensor hidden = {};   // means
  Tensor input = {};    // x W of non-negative latents; elsewhere it has become the mean
};

bool BipartiteDivergence::covers(const Bipartite& pattern, const ContrastTerms& terms) {
  const auto* exact = std::get_if<Exact>(&terms.positive);
  const auto* chains = std::get_if<Chains>(&terms.negative);
  if (exact == nullptr || chains == nullptr || terms.freed.size() != 1) return false;
  const std::vector<Block>* blocks = chains->transition->gibbs_blocks();
  const int side = pattern.side(terms.freed.front());
  if (blocks == nullptr || blocks->size() != 2 || side < 0) return false;
  const BipartiteLayer& hidden = pattern.layers[static_cast<std::size_t>(1 - side)];
  if (chains->options.eliminated && *chains->options.eliminated != Block{hidden.variable}) return false;
  const bool persistent = chains->options.persistent != 0;
  const Block first{persistent ? terms.freed.front() : hidden.variable},
      second{persistent ? hidden.variable : terms.freed.front()};
  if (blocks->front() != first || blocks->back() != second) return false;
  return terms.options.sparsity.cost == 0.0 || hidden.unit == Unit::Binary;
}

BipartiteDivergence::Result BipartiteDivergence::evaluate(const FactorGraph& graph, const Bipartite& pattern,
                                                          const ContrastTerms& terms, const State& batch,
                                                          Carry& carry, Key key,
                                                          const EvaluateOptions& evaluation) {
  const Variable& visible = terms.freed.front();
  const ContrastOptions& options = terms.options;
  const ChainsOptions& moves = std::get<Chains>(terms.negative).options;
  const bool persistent = moves.persistent != 0;
  const int sv = pattern.side(visible), sh = 1 - sv;
  const BipartiteLayer& v = pattern.layers[static_cast<std::size_t>(sv)];
  const BipartiteLayer& h = pattern.layers[static_cast<std::size_t>(sh)];
  const std::vector<Parameter> parameters = graph.parameters();
  std::vector<Tensor> slow;
  for (const Parameter& parameter : parameters) slow.push_back(parameter.tensor());
  const BipartiteNumbers model(pattern, slow, scratch_, "model");
  const Placement placement = model.placement();
  const Key gibbs = key.fold("gibbs");
  const Index first_row = batch.context().own_row();
  const auto work = [&](const std::string& name, Index rows, const BipartiteLayer& layer) {
    return scratch_.get(name, {rows, layer.variable.size()}, placement);
  };
  const bool keep_input = h.unit == Unit::NonNegative;

  // Positive phase: means of the latents given the data, and where chains begin there, a draw of them.
  Phase data{.name = "data"};
  data.visible = bipartite_rows(pattern, sv, batch[visible].tensor(), placement);
  const Index samples = data.visible.dim(0);
  data.input = work("data.input", samples, h);
  data.hidden = keep_input ? work("data.hidden", samples, h) : data.input;
  model.product(sv, data.visible, data.input);
  Tensor drawn;
  if (!persistent) drawn = work("chain.hidden", samples, h);
  model.units(sh, data.input,
              {.key = draw_key(gibbs, 0, 0, h.variable),
               .mean = data.hidden,
               .sample = drawn,
               .first_row = first_row});

  // Negative phase.
  Phase chain{.name = "chain"};
  std::vector<Tensor> fast;
  if (persistent) {
    const std::string name_v = "particles." + v.variable.name, name_h = "particles." + h.variable.name;
    const auto found = carry.find(name_v);
    const Index chains = found != carry.end()   ? found->second.dim(0)
                         : moves.persistent > 0 ? moves.persistent
                                                : samples;
    Tensor particles_v = carried(carry, name_v, batched(v.variable, chains), placement);
    Tensor particles_h = carried(carry, name_h, batched(h.variable, chains), placement);
    const bool begin = !particles_v.defined() || !particles_h.defined();
    if (begin) {
      particles_v = carry[name_v] = first_samples(batch[visible].tensor(), chains);
      particles_h = carry[name_h] = Tensor(batched(h.variable, chains), placement);
    }
    chain.visible = bipartite_rows(pattern, sv, particles_v, placement);
    drawn = bipartite_rows(pattern, sh, particles_h, placement);
    if (begin) {
      model.product(sv, chain.visible, drawn);
      model.units(sh, drawn,
                  {.key = key.fold("start").fold(std::uint64_t{0}).fold(h.variable.name).bits(),
                   .sample = drawn,
                   .first_row = batch.context().first_row * chains / samples});
    }
    if (moves.fast_rate > 0.0) fast = fast_weights(carry, parameters);
  } else {
    chain.visible = work("chain.visible", samples, v);
  }
  const Index chains = chain.visible.dim(0);
  const Index first_chain = persistent ? batch.context().first_row * chains / samples : first_row;
  chain.input = work("chain.input", chains, h);
  chain.hidden = keep_input ? work("chain.hidden_mean", chains, h) : chain.input;

  std::vector<Tensor> moving = slow;
  for (std::size_t i = 0; i < fast.size(); ++i) {
    moving[i] = scratch_.get("fast." + parameters[i].name(), slow[i].shape(), placement);
    moving[i].copy_from(slow[i]);
    add(1.0, fast[i], 1.0, moving[i]);
  }
  const BipartiteNumbers mover = fast.empty() ? model : BipartiteNumbers(pattern, moving, scratch_, "mover");
  const std::uint64_t block_v = persistent ? 0 : 1, block_h = 1 - block_v;
  for (Index i = 0; i < moves.steps; ++i) {
    const bool last = i + 1 == moves.steps;
    mover.product(sh, drawn, chain.visible);
    mover.units(
        sv, chain.visible,
        {.key = draw_key(gibbs, i, block_v, v.variable), .sample = chain.visible, .first_row = first_chain});
    // The last draw of the latents is only wanted where chains go on from it, and the last mean only of the
    // model itself.
    const bool draws = persistent || !last, means = last && fast.empty();
    if (!draws && !means) continue;
    mover.product(sv, chain.visible, chain.input);
    BipartiteNumbers::Draw call{.key = draw_key(gibbs, persistent ? i : i + 1, block_h, h.variable),
                                .first_row = first_chain};
    if (means) call.mean = chain.hidden;
    if (draws) call.sample = drawn;
    mover.units(sh, chain.input, call);
  }
  if (!fast.empty()) {
    model.product(sv, chain.visible, chain.input);
    model.units(sh, chain.input, {.mean = chain.hidden});
  }

  // Statistics. For every side dF/db = -mean, dF/ds = 1/2 exp(s) E[x^2]; the loss takes data minus chains.
  Result result;
  result.gradients.resize(parameters.size());
  result.negative = chain.visible;
  const double per_sample = 1.0 / static_cast<double>(samples), per_chain = 1.0 / static_cast<double>(chains);
  std::array<Tensor, 2> mean_gradient, offset_mean;
  const auto count_means = [&](const BipartiteLayer& layer, const Tensor& x, const Tensor& y,
                               std::size_t side) {
    const std::string name = std::to_string(side);
    const Shape shape{layer.variable.size()};
    const Tensor& g = mean_gradient[side] = scratch_.get("bias." + name, shape, placement);
    column_sums(x, -per_sample, 0.0, g);
    if (options.centring > 0.0) {
      offset_mean[side] = scratch_.get("mean." + name, shape, placement);
      add(-1.0, g, 0.0, offset_mean[side]);
    }
    column_sums(y, per_chain, 1.0, g);
    // (data + chains) / 2 = data + (chains - data) / 2.
    if (options.centring > 0.0 && options.offsets == Offsets::Average) add(0.5, g, 1.0, offset_mean[side]);
  };
  // Centring and fast weights read every gradient; else frozen parameters cost nothing.
  const auto wanted = [&](int parameter) {
    return options.centring > 0.0 || !fast.empty() || evaluation.wanted(static_cast<std::size_t>(parameter));
  };
  const bool wants_means_v = v.bias >= 0 && wanted(v.bias), wants_means_h = h.bias >= 0 && wanted(h.bias);
  if (wants_means_v) count_means(v, data.visible, chain.visible, 0);
  if (wants_means_h) count_means(h, data.hidden, chain.hidden, 1);

  const auto second_moments = [&](const BipartiteLayer& layer, int side, const Phase& phase, double scale,
                                  double beta, const Tensor& sums) {
    const bool latent = side == sh;
    const Tensor& x = latent ? phase.hidden : phase.visible;
    const Tensor& squares =
        work(phase.name + (latent ? ".squares.hidden" : ".squares.visible"), x.dim(0), layer);
    if (latent && layer.unit == Unit::NonNegative) {
      // exp(s) E[h^2] = a E[h] + 1 of a truncated normal, a = x W + c; the 1 cancels.
      with_row(Binary::Add, phase.input, model.bias(sh), squares);
      multiply(squares, x, squares);
      column_sums(squares, 0.5 * scale, beta, sums);
    } else {
      // Of Gaussian latents E[h^2] = mean^2 + exp(-s); the second term cancels.
      backend(placement.device).unary(Unary::Square, placement.dtype, x.data(), squares.data(), x.size());
      column_sums(squares, 0.5 * scale, beta, sums);
    }
  };
  for (const int side : {sv, sh}) {
    const BipartiteLayer& layer = side == sv ? v : h;
    if (layer.log_precision < 0 || !wanted(layer.log_precision)) continue;
    const Tensor& sums =
        scratch_.get("precision." + std::to_string(side), {layer.variable.size()}, placement);
    second_moments(layer, side, data, per_sample, 0.0, sums);
    second_moments(layer, side, chain, -per_chain, 1.0, sums);
    if (side == sv || layer.unit == Unit::Gaussian) multiply(sums, model.precision(side), sums);
    const Tensor& s = slow[static_cast<std::size_t>(layer.log_precision)];
    Tensor gradient = sums;
    if (s.size() != sums.size()) {
      gradient = scratch_.get("precision.sum." + std::to_string(side), {1}, placement);
      backend(placement.device)
          .reduce(Reduction::Sum, placement.dtype, sums.data(), gradient.data(), 1, sums.size(), 1);
    }
    result.gradients[static_cast<std::size_t>(layer.log_precision)] = Gradient(gradient.reshaped(s.shape()));
  }

  Tensor data_hidden = data.hidden;
  if (options.sparsity.cost > 0.0) {
    // d penalty / d a_nj = cost (q_j - target) / N q_nj (1 - q_nj), q_j the mean over n; it joins the
    // statistics of the data as h_nj - N times that, so that the product with v+ serves both.
    const Tensor& excess = scratch_.get("sparsity", {h.variable.size()}, placement);
    excess.fill(-options.sparsity.cost * options.sparsity.target);
    column_sums(data.hidden, options.sparsity.cost * per_sample, 1.0, excess);
    const Tensor& slope = work("sparsity.slope", samples, h);
    multiply(data.hidden, data.hidden, slope);
    add(1.0, data.hidden, -1.0, slope);
    with_row(Binary::Mul, slope, excess, slope);
    if (wants_means_h) column_sums(slope, per_sample, 1.0, mean_gradient[1]);
    add(-1.0, slope, 1.0, data_hidden);
  }

  Gradient& weight = result.gradients[static_cast<std::size_t>(pattern.weight)];
  const bool rows_are_visible = sv == 0;
  if (wanted(pattern.weight)) {
    weight.add({-per_sample, rows_are_visible ? data.visible : data_hidden,
                rows_are_visible ? data_hidden : data.visible});
    weight.add({per_chain, rows_are_visible ? chain.visible : chain.hidden,
                rows_are_visible ? chain.hidden : chain.visible});
  }
  if (wants_means_v) result.gradients[static_cast<std::size_t>(v.bias)] = Gradient(mean_gradient[0]);
  if (wants_means_h) result.gradients[static_cast<std::size_t>(h.bias)] = Gradient(mean_gradient[1]);

  if (options.centring > 0.0) {
    centred_variables(graph);  // throws where a Bias is missing
    CentringOffsets offsets(graph.variables().size());
    offsets[static_cast<std::size_t>(v.variable.index)] =
        slide_offset(carry, v.variable.name, offset_mean[0], options.centring);
    offsets[static_cast<std::size_t>(h.variable.index)] =
        slide_offset(carry, h.variable.name, offset_mean[1], options.centring);
    centre(graph, offsets, result.gradients, scratch_);
  }
  if (!fast.empty()) {
    // Fast weights and the optimizer both take the gradient of W: multiplied out, it costs its products once.
    const Tensor& whole = scratch_.get("weight", model.weight().shape(), placement);
    weight.accumulate(whole, 1.0, 0.0);
    weight = Gradient(whole);
    update_fast_weights(fast, result.gradients, moves.fast_rate);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!evaluation.wanted(i)) result.gradients[i] = Gradient();
  }
  return result;
}

}  // namespace basin
