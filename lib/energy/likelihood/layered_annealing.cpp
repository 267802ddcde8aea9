#include <utility>

#include "energy/likelihood/annealed_chains.h"
#include "energy/marginal/layered.h"

namespace basin {
namespace {

class LayeredChains final : public AnnealedChains {
 public:
  LayeredChains(const FactorGraph& graph, Layered pattern, Block visible, std::vector<Tensor> bases,
                Index chains)
      : pattern_(std::move(pattern)),
        numbers_(pattern_, graph, scratch_, "anneal"),
        visible_(std::move(visible)),
        bases_(std::move(bases)) {
    const Placement placement = numbers_.placement();
    for (const Variable& layer : pattern_.layers) {
      states_.emplace_back(Shape{chains, layer.size()}, placement);
      if (!contains(visible_, layer)) hidden_.push_back(layer);
    }
    for (std::size_t i = 0; i < visible_.size(); ++i) {
      own_minus_base_.push_back(numbers_.bias(at(visible_[i])).clone());
      const Tensor& difference = own_minus_base_.back();
      backend(placement.device)
          .axpby(placement.dtype, -1.0, bases_[i].data(), 1.0, difference.data(), difference.size());
      tempered_.emplace_back(difference.shape(), placement);
    }
    log_weights_ = Tensor::zeros({chains}, {Dtype::F64, placement.device});
    slope_ = Tensor({chains}, placement);
    slope64_ = Tensor({chains}, log_weights_.placement());
  }

  void start(Key key) override {
    for (std::size_t i = 0; i < visible_.size(); ++i) {
      const Tensor& x = states_[at(visible_[i])];
      x.fill(0.0);  // scale 0 leaves the base alone of it
      numbers_.units(at(visible_[i]), x,
                     {.key = draw_key(key, 0, visible_[i]), .sample = x, .scale = 0.0, .base = bases_[i]});
    }
  }
  void start(const State& state) override {
    for (const Variable& layer : visible_) {
      const Tensor& x = states_[at(layer)];
      x.copy_from(state[layer].tensor().reshaped(x.shape()));
    }
  }
  /// Leaves what the visible layers send to the hidden ones there, for the sweep that follows.
  void weigh(double from, double to) override {
    Backend& kernels = backend(slope_.device());
    for (const Variable& layer : hidden_) {
      const std::size_t l = at(layer);
      const Tensor& x = states_[l];
      numbers_.input(l, states_, x);
      kernels.softplus_difference(x.dtype(), x.data(), numbers_.bias(l).data(), x.dim(0), x.dim(1), from, to,
                                  static_cast<double*>(log_weights_.data()));
    }
    // -E of the visible biases changes by (to - from) (b - base).v.
    for (std::size_t i = 0; i < visible_.size(); ++i) {
      const Tensor& x = states_[at(visible_[i])];
      GemmCall call{.dtype = x.dtype(), .m = x.dim(0), .n = 1, .k = x.dim(1)};
      call.a = x.data();
      call.lda = x.dim(1);
      call.b = own_minus_base_[i].data();
      call.ldb = 1;
      call.c = slope_.data();
      call.ldc = 1;
      kernels.gemm(call);
      kernels.cast(slope_.dtype(), slope_.data(), Dtype::F64, slope64_.data(), slope_.size());
      kernels.axpby(Dtype::F64, to - from, slope64_.data(), 1.0, log_weights_.data(), slope_.size());
    }
  }
  void sweep(double beta, Key key) override {
    for (const Variable& layer : hidden_) {
      const Tensor& x = states_[at(layer)];
      numbers_.units(at(layer), x, {.key = draw_key(key, 0, layer), .sample = x, .scale = beta});
    }
    for (std::size_t i = 0; i < visible_.size(); ++i) {
      const std::size_t l = at(visible_[i]);
      const Tensor& x = states_[l];
      numbers_.input(l, states_, x);
      LayeredNumbers::Draw draw{.key = draw_key(key, 1, visible_[i]), .sample = x, .scale = beta};
      if (beta < 1.0) {
        backend(x.device())
            .axpby(x.dtype(), 1.0 - beta, bases_[i].data(), 0.0, tempered_[i].data(), bases_[i].size());
        draw.base = tempered_[i];
      }
      numbers_.units(l, x, draw);
    }
  }
  std::vector<double> log_weights() const override { return log_weights_.values(); }

 private:
  std::size_t at(const Variable& variable) const {
    return static_cast<std::size_t>(pattern_.place(variable));
  }
  static std::uint64_t draw_key(Key key, std::uint64_t block, const Variable& variable) {
    return key.fold(block).fold(variable.name).bits();
  }

  Layered pattern_;
  Scratch scratch_;
  LayeredNumbers numbers_;
  Block visible_, hidden_;
  std::vector<Tensor> bases_, own_minus_base_, tempered_;  // of each visible layer
  std::vector<Tensor> states_;                             // of each layer of the pattern
  Tensor slope_, slope64_, log_weights_;
};

}  // namespace

std::unique_ptr<AnnealedChains> layered_chains(const FactorGraph& graph, const Block& visible,
                                               const std::vector<Tensor>& bases, Index chains) {
  std::optional<Layered> pattern = recognise_layered(graph);
  if (!pattern) return nullptr;
  Block hidden;
  for (const Variable& layer : pattern->layers) {
    if (!contains(visible, layer)) hidden.push_back(layer);
  }
  if (!pattern->apart(visible) || !pattern->apart(hidden)) return nullptr;
  return std::make_unique<LayeredChains>(graph, *std::move(pattern), visible, bases, chains);
}

}  // namespace basin
