#include <utility>

#include "energy/likelihood/annealed_chains.h"
#include "energy/marginal/bipartite.h"

namespace basin {
namespace {

class BipartiteChains final : public AnnealedChains {
 public:
  BipartiteChains(const FactorGraph& graph, const Bipartite& pattern, int visible_side, Tensor base,
                  bool own_bias, Index chains);
  void start(Key key) override;
  void start(const State& v) override;
  void weigh(double from, double to) override;
  void sweep(double beta, Key key) override;
  std::vector<double> log_weights() const override { return log_weights_.values(); }

 private:
  std::uint64_t draw_key(Key key, std::uint64_t block, int side) const {
    return key.fold(block).fold(pattern_.layers[static_cast<std::size_t>(side)].variable.name).bits();
  }

  Bipartite pattern_;
  int visible_, hidden_;
  Scratch scratch_;
  BipartiteNumbers numbers_;
  Tensor base_, own_minus_base_;  // the second undefined where it is 0
  Tensor tempered_base_;
  Tensor v_, h_;
  Tensor slope_, slope64_, log_weights_;
};

BipartiteChains::BipartiteChains(const FactorGraph& graph, const Bipartite& pattern, int visible_side,
                                 Tensor base, bool own_bias, Index chains)
    : pattern_(pattern),
      visible_(visible_side),
      hidden_(1 - visible_side),
      numbers_(pattern, graph, scratch_, "anneal"),
      base_(std::move(base)) {
  const Placement placement = numbers_.placement();
  const Index nv = base_.size(), nh = numbers_.bias(hidden_).size();
  v_ = Tensor({chains, nv}, placement);
  h_ = Tensor({chains, nh}, placement);
  tempered_base_ = Tensor({nv}, placement);
  log_weights_ = Tensor::zeros({chains}, {Dtype::F64, placement.device});
  if (!own_bias) {
    own_minus_base_ = numbers_.bias(visible_).clone();
    backend(placement.device).axpby(placement.dtype, -1.0, base_.data(), 1.0, own_minus_base_.data(), nv);
    slope_ = Tensor({chains}, placement);
    slope64_ = Tensor({chains}, log_weights_.placement());
  }
}

void BipartiteChains::start(Key key) {
  v_.fill(0.0);  // scale 0 leaves the base alone of it
  numbers_.units(visible_, v_,
                 {.key = draw_key(key, 0, visible_), .sample = v_, .scale = 0.0, .base = base_});
}

void BipartiteChains::start(const State& v) {
  const Variable& variable = pattern_.layers[static_cast<std::size_t>(visible_)].variable;
  v_.copy_from(v[variable].tensor().reshaped(v_.shape()));
}

void BipartiteChains::weigh(double from, double to) {
  Backend& kernels = backend(v_.device());
  numbers_.product(visible_, v_, h_);
  kernels.softplus_difference(h_.dtype(), h_.data(), numbers_.bias(hidden_).data(), h_.dim(0), h_.dim(1),
                              from, to, static_cast<double*>(log_weights_.data()));
  if (!own_minus_base_.defined()) return;
  // -E of the visible biases changes by (to - from) (b - base).v.
  GemmCall call{.dtype = v_.dtype(), .m = v_.dim(0), .n = 1, .k = v_.dim(1)};
  call.a = v_.data();
  call.lda = v_.dim(1);
  call.b = own_minus_base_.data();
  call.ldb = 1;
  call.c = slope_.data();
  call.ldc = 1;
  kernels.gemm(call);
  kernels.cast(slope_.dtype(), slope_.data(), Dtype::F64, slope64_.data(), slope_.size());
  kernels.axpby(Dtype::F64, to - from, slope64_.data(), 1.0, log_weights_.data(), slope_.size());
}

void BipartiteChains::sweep(double beta, Key key) {
  numbers_.units(hidden_, h_, {.key = draw_key(key, 0, hidden_), .sample = h_, .scale = beta});
  numbers_.product(hidden_, h_, v_);
  BipartiteNumbers::Draw draw{.key = draw_key(key, 1, visible_), .sample = v_, .scale = beta};
  if (beta < 1.0) {
    backend(v_.device())
        .axpby(v_.dtype(), 1.0 - beta, base_.data(), 0.0, tempered_base_.data(), base_.size());
    draw.base = tempered_base_;
  }
  numbers_.units(visible_, v_, draw);
}

}  // namespace

std::unique_ptr<AnnealedChains> bipartite_chains(const FactorGraph& graph, const Block& visible,
                                                 const Tensor& base, bool own_bias, Index chains) {
  const std::optional<Bipartite> pattern = recognise_bipartite(graph);
  const int side = pattern ? pattern->side(visible.front()) : -1;
  if (side < 0 || pattern->layers[static_cast<std::size_t>(1 - side)].unit != Unit::Binary) return nullptr;
  return std::make_unique<BipartiteChains>(graph, *pattern, side, base, own_bias, chains);
}

}  // namespace basin
