#include "energy/objectives/contrast/layered_divergence.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "autograd/ops.h"
#include "energy/objectives/contrast/kept_means.h"
#include "energy/objectives/contrast/persistent_chains.h"

namespace basin {
namespace {

void add(double alpha, const Tensor& x, double beta, const Tensor& y) {
  backend(x.device()).axpby(x.dtype(), alpha, x.data(), beta, y.data(), x.size());
}

void column_sums(const Tensor& x, double alpha, double beta, const Tensor& sums) {
  backend(x.device()).column_sums(x.dtype(), x.data(), x.dim(0), x.dim(1), alpha, beta, sums.data());
}

/// y = a * b, b a tensor of the same shape or one row.
void multiply(const Tensor& a, const Tensor& b, const Tensor& y) {
  const bool row = b.rank() == 1;
  backend(a.device())
      .binary(Binary::Mul, a.dtype(), a.data(), {a.dim(1), 1}, b.data(), {row ? 0 : b.dim(1), 1}, y.data(),
              a.shape());
}

/// One evaluation.
class Divergence {
 public:
  Divergence(const FactorGraph& graph, const Layered& pattern, const ContrastTerms& terms,
             const PhaseCall& freed, const EvaluateOptions& options, Scratch& scratch)
      : graph_(graph),
        pattern_(pattern),
        terms_(terms),
        freed_(freed),
        options_(options),
        scratch_(scratch),
        numbers_(pattern, graph, scratch, "model"),
        samples_(freed.start.batch()),
        given_{.free = freed.latents,
               .latents = freed.latents,
               .start = freed.start,
               .prefix = "positive.",
               .key = freed.key.fold("positive")} {}

  ContrastStatistics run(Carry& carry) {
    average(carry);
    move(carry);
    result_.gradients.resize(graph_.parameters().size());
    result_.means.resize(graph_.variables().size());
    for (std::size_t l = 0; l < pattern_.count(); ++l) of_bias(l);
    const double data_share = 1.0 / static_cast<double>(samples_),
                 chain_share = 1.0 / static_cast<double>(chain_[0].dim(0));
    for (std::size_t l = 0; l < pattern_.links.size(); ++l) {
      if (!wanted(pattern_.links[l].weight)) continue;
      of_weight(l, -data_share, data_[l], data_[l + 1]);
      of_weight(l, chain_share, chain_[l], chain_[l + 1]);
    }
    if (terms_.options.sparsity.cost > 0.0) {
      for (const Variable& latent : freed_.latents) keep_sparse(at(latent));
    }
    if (options_.metrics) measure();
    return std::move(result_);
  }

 private:
  std::size_t at(const Variable& variable) const {
    return static_cast<std::size_t>(pattern_.place(variable));
  }
  const MeanField& means() const { return std::get<MeanField>(terms_.positive); }
  Tensor work(const std::string& name, Index rows, std::size_t l) {
    const Variable& layer = pattern_.layers[l];
    return scratch_.get(name + "." + layer.name, {rows, layer.size()}, numbers_.placement());
  }
  bool wanted(int parameter) const {
    return parameter >= 0 && options_.wanted(static_cast<std::size_t>(parameter));
  }
  Gradient& gradient(int parameter) { return result_.gradients[static_cast<std::size_t>(parameter)]; }

  /// The positive phase: data_ are the values of the freed layer and means of the others, drives_ their
  /// inputs without biases.
  void average(Carry& carry) {
    const Block& units = means().units();
    const std::size_t visible = at(terms_.freed.front());
    std::optional<KeptMeans> kept;
    State state = freed_.start;
    if (means().options().warm) state = kept.emplace(graph_, means(), given_, carry).begin();
    data_.resize(pattern_.count());
    drives_.resize(pattern_.count());
    for (std::size_t l = 0; l < pattern_.count(); ++l) {
      const Variable& layer = pattern_.layers[l];
      if (l != visible) {
        data_[l] = work("data.mean", samples_, l);
        drives_[l] = work("data.input", samples_, l);
      }
      if (l == visible) {
        data_[l] = layered_rows(layer, state[layer].tensor(), numbers_.placement());
      } else if (state.has(layer)) {
        data_[l].copy_from(layered_rows(layer, state[layer].tensor(), numbers_.placement()));
      } else {
        data_[l].fill(0.5);
      }
    }
    const std::size_t first = visible == 0 ? 1 : visible - 1;
    const Tensor sent = work("data.sent", samples_, first);
    numbers_.product(visible, first, data_[visible], sent);
    for (Index i = 0; i < means().options().iterations; ++i) {
      for (const Variable& unit : units) {
        const std::size_t l = at(unit);
        if (l == first) {
          drives_[l].copy_from(sent);
          const std::size_t above = 2 * first - visible;
          numbers_.product(above, l, data_[above], drives_[l], 1.0);
        } else {
          numbers_.input(l, data_, drives_[l]);
        }
        numbers_.units(l, drives_[l], {.mean = data_[l]});
      }
    }
    if (kept) kept->keep(averaged(/*with_drives=*/false));
  }

  /// The batch with the means of mean field; drives are what metrics and draws ask for.
  State averaged(bool with_drives) const {
    State state = freed_.start;
    for (const Variable& unit : means().units()) {
      const std::size_t l = at(unit);
      const Shape shape = batched(unit, samples_);
      if (with_drives) {
        const Value drive = Value(drives_[l]) + reshape(Value(numbers_.bias(l)), {1, unit.size()});
        MeanField::remember(state, unit, data_[l].reshaped(shape), reshape(drive, shape));
      } else {
        state.set(unit, data_[l].reshaped(shape));
      }
    }
    return state;
  }

  /// The negative phase: chains move in place; chain_ are their states, of the block drawn last its means.
  void move(Carry& carry) {
    const Chains& chains = *terms_.chains();
    PhaseCall call = freed_;
    const bool begun = std::ranges::all_of(freed_.free, [&](const Variable& x) {
      return carry.contains(freed_.prefix + "particles." + x.name);
    });
    if (!begun) call.start = means().drawn(averaged(/*with_drives=*/true), given_.key.fold("draw"));
    PersistentChains kept(graph_, call, carry, chains.options);
    const State start = kept.begin();
    kept.keep(start);
    for (const Variable& layer : pattern_.layers)
      chain_.push_back(layered_rows(layer, start[layer].tensor(), numbers_.placement()));
    const Index count = chain_[0].dim(0);
    const std::vector<Block>& blocks = *chains.transition->gibbs_blocks();
    std::vector<Tensor> last(pattern_.count());
    for (Index i = 0; i < chains.options.steps; ++i) {
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        const Key key =
            freed_.key.fold("gibbs").fold(static_cast<std::uint64_t>(i)).fold(static_cast<std::uint64_t>(b));
        const bool is_last = i + 1 == chains.options.steps && b + 1 == blocks.size();
        for (const Variable& layer : blocks[b]) {
          const std::size_t l = at(layer);
          const Tensor input = work("chain.input", count, l);
          numbers_.input(l, chain_, input);
          if (is_last) last[l] = input;
          numbers_.units(l, input,
                         {.key = key.fold(layer.name).bits(),
                          .mean = last[l],
                          .sample = chain_[l],
                          .first_row = start.context().own_row()});
        }
      }
    }
    for (std::size_t l = 0; l < last.size(); ++l) {
      if (last[l].defined()) chain_[l] = last[l];
    }
  }

  void of_bias(std::size_t l) {
    if (!wanted(pattern_.biases[l])) return;
    const Variable& layer = pattern_.layers[l];
    const Shape shape{layer.size()};
    const Tensor g = scratch_.get("bias." + layer.name, shape, numbers_.placement());
    column_sums(data_[l], -1.0 / static_cast<double>(samples_), 0.0, g);
    const bool centred = terms_.options.centring > 0.0;
    Tensor& mean = result_.means[static_cast<std::size_t>(layer.index)];
    if (centred) {
      mean = scratch_.get("mean." + layer.name, shape, numbers_.placement());
      add(-1.0, g, 0.0, mean);
    }
    column_sums(chain_[l], 1.0 / static_cast<double>(chain_[l].dim(0)), 1.0, g);
    // (data + chains) / 2 = data + (chains - data) / 2.
    if (centred && terms_.options.offsets == Offsets::Average) add(0.5, g, 1.0, mean);
    gradient(pattern_.biases[l]) = Gradient(g);
  }

  /// scale * lower' upper, as the matrix lies.
  void of_weight(std::size_t link, double scale, const Tensor& lower, const Tensor& upper) {
    const bool turned = pattern_.links[link].turned;
    gradient(pattern_.links[link].weight).add({scale, turned ? upper : lower, turned ? lower : upper});
  }

  /// d penalty / d a_nj = cost (q_j - target) / N q_nj (1 - q_nj) at the input a of a layer's last update.
  void keep_sparse(std::size_t l) {
    const auto [target, cost] = terms_.options.sparsity;
    const double share = 1.0 / static_cast<double>(samples_);
    const Tensor excess = scratch_.get("sparsity." + pattern_.layers[l].name, {pattern_.layers[l].size()},
                                       numbers_.placement());
    excess.fill(-cost * target);
    // The means that the others give it now, as the derived path has them.
    const Tensor input = work("sparsity.input", samples_, l), mean = work("sparsity.mean", samples_, l);
    numbers_.input(l, data_, input);
    numbers_.units(l, input, {.mean = mean});
    column_sums(mean, cost * share, 1.0, excess);
    if (options_.reduce) options_.reduce(std::array{excess}, samples_);
    multiply(mean, mean, input);
    add(1.0, mean, -1.0, input);
    multiply(input, excess, input);
    if (wanted(pattern_.biases[l])) column_sums(input, share, 1.0, gradient(pattern_.biases[l]).dense());
    if (l > 0 && wanted(pattern_.links[l - 1].weight)) of_weight(l - 1, share, data_[l - 1], input);
    if (l < pattern_.links.size() && wanted(pattern_.links[l].weight))
      of_weight(l, share, input, data_[l + 1]);
  }

  void measure() {
    result_.data = averaged(/*with_drives=*/true);
    State model;
    for (std::size_t l = 0; l < pattern_.count(); ++l)
      model.set(pattern_.layers[l], chain_[l].reshaped(batched(pattern_.layers[l], chain_[l].dim(0))));
    const Value data = mean(phase_energy(terms_.positive, graph_, given_, result_.data));
    result_.loss = (data - mean(phase_energy(terms_.negative, graph_, freed_, model))).item();
  }

  const FactorGraph& graph_;
  const Layered& pattern_;
  const ContrastTerms& terms_;
  const PhaseCall& freed_;
  const EvaluateOptions& options_;
  Scratch& scratch_;
  LayeredNumbers numbers_;
  Index samples_;
  PhaseCall given_;
  std::vector<Tensor> data_, drives_, chain_;
  ContrastStatistics result_;
};

}  // namespace

bool covers(const Layered& pattern, const ContrastTerms& terms) {
  const auto* means = std::get_if<MeanField>(&terms.positive);
  const Chains* chains = terms.chains();
  if (means == nullptr || chains == nullptr || terms.freed.size() != 1) return false;
  if (means->options().updates != Updates::Sequential || means->options().damping != 0.0) return false;
  const int visible = pattern.place(terms.freed.front()), end = static_cast<int>(pattern.count()) - 1;
  if (visible != 0 && visible != end) return false;
  const std::vector<Block>* blocks = chains->transition->gibbs_blocks();
  // Fast weights, chains that begin at the data or anew and other ways to sum out are the derived path's.
  if (blocks == nullptr || chains->options.persistent == 0 || chains->options.fast_rate != 0.0 ||
      chains->options.restart != 0.0 || chains->options.eliminated)
    return false;
  const auto all_in = [&](const Block& block) {
    return std::ranges::all_of(block, [&](const Variable& x) { return pattern.place(x) >= 0; });
  };
  std::size_t drawn = 0;
  for (const Block& block : *blocks) {
    if (!all_in(block) || !pattern.apart(block)) return false;
    drawn += block.size();
  }
  return drawn == pattern.count() && chains->transition->moves().size() == drawn && all_in(means->units()) &&
         means->units().size() + 1 == pattern.count() && !contains(means->units(), terms.freed.front());
}

ContrastStatistics layered_divergence(const FactorGraph& graph, const Layered& pattern,
                                      const ContrastTerms& terms, const PhaseCall& freed, Carry& carry,
                                      const EvaluateOptions& options, Scratch& scratch) {
  return Divergence(graph, pattern, terms, freed, options, scratch).run(carry);
}

}  // namespace basin
