// Rates of whole tasks through the public API, beside the limit that their matrix products alone set on this
// machine.
//   basin_cases [CASE ...] [--threads N] [--repeats N] [--min-time S] [--json] [--data FOLDER]
// A CASE runs all results whose name begins with it; none runs all:
//   rbm_cd, derived_rbm_cd, rbm_pcd, rbm_fpcd, gibbs, tempering, ais, sparse_encode, fista_sparse_encode,
//   derived_sparse_encode,
//     conv_sparse (results conv_fista_*), derived_conv_sparse, dict_learn, derived_dict_learn, convnet,
//     lstm, derived_lstm, deep_ae, langevin
// One line a result:
//   {"case": "rbm_cd1_784x500_b100", "value": 24000.0, "unit": "samples/s", "limit": 26000.0}
// `value` and `limit` are medians of timed runs taken in turn. Names, sizes and data follow the scripts of
// the peers that versus.sh compares with.
#include "benchmarks/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "benchmarks/product.h"
#include "energy/likelihood/annealed_importance.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/sample/gibbs.h"
#include "energy/sample/parallel_tempering.h"
#include "models/rbm.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "tensor/threads.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

constexpr Index kVisible = 784;

/// The products of an RBM's steps alone, dense ones by the fastest library: what a program that leaves the
/// products to a library cannot pass. The factors are neither 0 nor 1, so that the kernel for binary states
/// stays out of it, and are never written.
struct Products {
  Products(Index batch, Index hidden)
      : v(uniform(Key(1), {batch, kVisible})),
        h(uniform(Key(2), {batch, hidden})),
        w(normal(Key(3), {kVisible, hidden})),
        v_out(Tensor::zeros(v.shape())),
        h_out(Tensor::zeros(h.shape())),
        w_out(Tensor::zeros(w.shape())) {}

  void up() const { multiply(v, false, w, false, h_out, {kSmall}); }
  void down() const { multiply(h, false, w, true, v_out, {kSmall}); }
  void outer() const { multiply(v, true, h, false, w_out, {kSmall, 1.0}); }

  static constexpr double kSmall = 1e-6;

  Tensor v, h, w, v_out, h_out, w_out;
};

Tensor binary_images(Index count) {
  return bernoulli(Key(0).fold("data"), Tensor::full({count, kVisible}, 0.19));
}

Rbm machine(Index hidden, double scale) {
  return rbm({.visible_shape = {kVisible}, .hidden_units = hidden, .weight_scale = scale, .key = Key(1)});
}

struct Size {
  Index hidden, batch;
};

/// Epochs of learning under the given options; as many products of each kind as the optimizer's included.
void rbm_learning(const Arguments& arguments, const std::string& what, const std::vector<Size>& sizes,
                  const ContrastiveDivergenceOptions& options, Index ups = 2) {
  constexpr Index kCount = 10000;
  Tensor data;
  for (const Size size : sizes) {
    const std::string name = fmt::format("{}_784x{}_b{}", what, size.hidden, size.batch);
    if (!arguments.wants(name)) continue;
    if (!data.defined()) data = binary_images(kCount);
    const Rbm model = machine(size.hidden, 0.01);
    const Contrast cd = ContrastiveDivergence(model.v, BlockGibbs({{model.h}, {model.v}}), options);
    const std::vector<Parameter> parameters = model.graph.parameters();
    Sgd sgd({.learning_rate = 0.05});
    Carry carry;
    std::uint64_t step = 0;
    const Index steps = kCount / size.batch;
    const auto epoch = [&] {
      for (Index i = 0; i < steps; ++i) {
        const State batch = State().set(model.v, data.rows(i * size.batch, (i + 1) * size.batch));
        sgd.step(parameters,
                 cd.evaluate(model.graph, batch, carry, Key(2).fold(step++), {.metrics = false}).gradients,
                 {});
      }
    };
    const Products products(size.batch, size.hidden);
    const auto least = [&] {
      for (Index i = 0; i < steps; ++i) {
        for (Index up = 0; up < ups; ++up) products.up();
        products.down();
        products.outer();
        products.outer();
      }
    };
    measure(name, "samples/s", static_cast<double>(steps * size.batch), epoch, least, arguments);
  }
}

void rbm_cd(const Arguments& arguments, Fuse fuse) {
  rbm_learning(arguments, fuse == Fuse::Off ? "derived_rbm_cd1" : "rbm_cd1",
               {{500, 100}, {500, 128}, {1000, 100}, {1000, 128}, {1000, 512}}, {.fuse = fuse});
}

/// Persistent chains with centring and sparsity, and with fast weights (one product more).
void rbm_pcd(const Arguments& arguments) {
  rbm_learning(arguments, "rbm_pcd1_centred_sparse", {{500, 100}},
               {.persistent = true, .centring = 0.01, .sparsity = {.target = 0.1, .cost = 0.1}});
  rbm_learning(arguments, "rbm_fpcd1", {{500, 100}}, {.persistent = true, .fast_rate = 0.01}, 3);
}

/// Weights of the peers' sampling cases: N(0, 0.05^2), visible biases -1.
Rbm sampled_machine() {
  Rbm model = machine(500, 0.05);
  for (const Parameter& parameter : model.graph.parameters()) {
    if (parameter.name() == "v.bias") parameter.tensor().fill(-1.0);
  }
  return model;
}

void gibbs_sampling(const Arguments& arguments) {
  constexpr Index kChains = 1000, kSweeps = 10;
  const std::string name = fmt::format("gibbs_784x500_m{}", kChains);
  if (!arguments.wants(name)) return;
  const Rbm model = sampled_machine();
  State state = State().set(model.v, binary_images(kChains));
  const BlockGibbs sweep({{model.h}, {model.v}});
  std::uint64_t run = 0;
  const Products products(kChains, 500);
  measure(
      name, "sweeps/s", kSweeps,
      [&] { state = gibbs(model.graph, sweep, state, kSweeps, Key(3).fold(run++)); },
      [&] {
        for (Index i = 0; i < kSweeps; ++i) {
          products.up();
          products.down();
        }
      },
      arguments);
}

/// Sweeps of 100 chains with ten replicas each and their swaps; the limit: sweeps of as many independent
/// chains. Units are on half of the time at every temperature, so that products cost the same.
void tempering(const Arguments& arguments) {
  constexpr Index kChains = 100, kReplicas = 10, kSweeps = 10;
  const std::string name = fmt::format("tempering_784x500_m{}_k{}", kChains, kReplicas);
  if (!arguments.wants(name)) return;
  const Rbm model = machine(500, 0.05);
  const BlockGibbs sweep({{model.v}, {model.h}});
  const ParallelTempering move(sweep, {.ladder = even_ladder(0.0, kReplicas)});
  const Tensor codes = bernoulli(Key(4), Tensor::full({kChains * kReplicas, 500}, 0.5));
  State independent = State().set(model.h, codes), chains = State().set(model.h, codes.rows(0, kChains));
  std::uint64_t run = 0;
  measure(
      name, "sweeps/s", kSweeps,
      [&] { chains = iterate(move, model.graph, chains, kSweeps, Key(3).fold(run++)); },
      [&] { independent = gibbs(model.graph, sweep, independent, kSweeps, Key(3).fold(run++)); }, arguments);
}

void ais(const Arguments& arguments) {
  constexpr Index kChains = 100, kTemperatures = 1000;
  const std::string name = fmt::format("ais_784x500_m{}_k{}", kChains, kTemperatures);
  if (!arguments.wants(name)) return;
  const Rbm model = sampled_machine();
  const Products products(kChains, 500);
  double log_z = 0.0;
  measure(
      name, "s", 0.0,
      [&] {
        log_z = annealed_importance(
                    model.graph, {model.v}, {model.h},
                    {.chains = kChains, .temperatures = uniform_ladder(kTemperatures), .key = Key(4)})
                    .log_z;
      },
      [&] {
        for (Index i = 0; i < kTemperatures; ++i) {
          products.up();
          products.down();
        }
      },
      arguments);
  if (!arguments.json) fmt::print("  log Z {:.2f}\n", log_z);
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto number = [&] {
      if (++i == argc) throw Error("[basin_cases] expected a number after " + word);
      return std::stod(argv[i]);
    };
    if (word == "--threads") {
      set_thread_count(static_cast<int>(number()));
    } else if (word == "--repeats") {
      arguments.repeats = std::max(1, static_cast<int>(number()));
    } else if (word == "--min-time") {
      arguments.min_time = number();
    } else if (word == "--data") {
      if (++i == argc) throw Error("[basin_cases] expected a folder after --data");
      arguments.data = argv[i];
    } else if (word == "--json") {
      arguments.json = true;
    } else if (word.starts_with("-")) {
      throw Error(
          "[basin_cases] expected CASE, --threads, --repeats, --min-time, --json or --data, received " +
          word);
    } else {
      arguments.cases.push_back(word);
    }
  }
  return arguments;
}

}  // namespace
}  // namespace basin::benchmarks

int main(int argc, char** argv) {
  try {
    const basin::benchmarks::Arguments arguments = basin::benchmarks::parse(argc, argv);
    basin::benchmarks::rbm_cd(arguments, basin::Fuse::Auto);
    basin::benchmarks::rbm_cd(arguments, basin::Fuse::Off);
    basin::benchmarks::rbm_pcd(arguments);
    basin::benchmarks::gibbs_sampling(arguments);
    basin::benchmarks::tempering(arguments);
    basin::benchmarks::ais(arguments);
    basin::benchmarks::sparse_encode(arguments);
    basin::benchmarks::conv_sparse(arguments);
    basin::benchmarks::dict_learn(arguments);
    basin::benchmarks::convnet(arguments);
    basin::benchmarks::lstm(arguments);
    basin::benchmarks::deep_ae(arguments);
    basin::benchmarks::langevin(arguments);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
