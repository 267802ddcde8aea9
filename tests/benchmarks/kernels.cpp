// Rates of the CPU kernels on the shapes of a Boltzmann machine: `bench_kernels [--benchmark_filter=REGEX]`.
// Google Benchmark's real time; OMP_NUM_THREADS sets the threads.
#include <benchmark/benchmark.h>

#include <string>

#include "tensor/backend.h"
#include "tensor/random.h"
#include "tensor/tensor.h"

namespace basin {
namespace {

constexpr Index kVisible = 784;

Backend& kernels() { return backend(Device::Cpu); }

Tensor states(Index rows, Index columns, double density, std::uint64_t seed) {
  return bernoulli(Key(seed), Tensor::full({rows, columns}, density));
}

Tensor weights(Index hidden) {
  const Tensor w = normal(Key(1), {kVisible, hidden});
  kernels().axpby(Dtype::F32, 0.01, w.data(), 0.0, w.data(), w.size());
  return w;
}

void rate(benchmark::State& state, double items, double multiply_adds = 0.0) {
  const double runs = static_cast<double>(state.iterations());
  state.counters["items"] = benchmark::Counter(items * runs, benchmark::Counter::kIsRate);
  if (multiply_adds > 0.0)
    state.counters["flop"] = benchmark::Counter(2.0 * multiply_adds * runs, benchmark::Counter::kIsRate);
}

void product(bool transpose_a, bool transpose_b, const Tensor& a, const Tensor& b, double alpha, double beta,
             const Tensor& c) {
  kernels().gemm({.transpose_a = transpose_a,
                  .transpose_b = transpose_b,
                  .m = c.dim(0),
                  .n = c.dim(1),
                  .k = a.dim(transpose_a ? 0 : 1),
                  .alpha = alpha,
                  .a = a.data(),
                  .lda = a.dim(1),
                  .b = b.data(),
                  .ldb = b.dim(1),
                  .beta = beta,
                  .c = c.data(),
                  .ldc = c.dim(1)});
}

void units(const Tensor& x, const Tensor& bias, double scale, std::uint64_t key, const Tensor& mean,
           const Tensor& sample) {
  UnitCall call{.rows = x.dim(0),
                .units = x.dim(1),
                .input = x.data(),
                .bias = bias.data(),
                .scale = scale,
                .key = key};
  call.mean = mean.defined() ? mean.data() : nullptr;
  call.sample = sample.defined() ? sample.data() : nullptr;
  kernels().units(call);
}

void unary(benchmark::State& state, Unary op) {
  const Tensor x = uniform(Key(1), {state.range(0)}), y(x.shape());
  for (auto _ : state) kernels().unary(op, Dtype::F32, x.data(), y.data(), x.size());
  rate(state, static_cast<double>(x.size()));
}
BENCHMARK_CAPTURE(unary, exp, Unary::Exp)->Arg(50000)->Arg(1000000);
BENCHMARK_CAPTURE(unary, log, Unary::Log)->Arg(50000);
BENCHMARK_CAPTURE(unary, log1p, Unary::Log1p)->Arg(50000);
BENCHMARK_CAPTURE(unary, sigmoid, Unary::Sigmoid)->Arg(50000);
BENCHMARK_CAPTURE(unary, tanh, Unary::Tanh)->Arg(50000);
BENCHMARK_CAPTURE(unary, softplus, Unary::Softplus)->Arg(50000);
BENCHMARK_CAPTURE(unary, log_ndtr, Unary::LogNdtr)->Arg(50000);

void uniforms(benchmark::State& state) {
  const Tensor y({state.range(0)});
  for (auto _ : state) kernels().uniform(Dtype::F32, 1, 0, y.data(), y.size());
  rate(state, static_cast<double>(y.size()));
}
BENCHMARK(uniforms)->Arg(50000)->Arg(1 << 20);

void normals(benchmark::State& state) {
  const Tensor y({state.range(0)});
  for (auto _ : state) kernels().normal(Dtype::F32, 1, 0, y.data(), y.size());
  rate(state, static_cast<double>(y.size()));
}
BENCHMARK(normals)->Arg(50000);

/// Mean and draw of a layer of 100 x 500.
void layer(benchmark::State& state, Unit unit) {
  const Tensor x = normal(Key(1), {100, 500}), bias = Tensor::zeros({500}),
               precision = Tensor::full({500}, 2.0), mean(x.shape()), sample(x.shape());
  for (auto _ : state) {
    kernels().units({.unit = unit,
                     .rows = 100,
                     .units = 500,
                     .group = 10,
                     .input = x.data(),
                     .bias = bias.data(),
                     .precision = precision.data(),
                     .mean = mean.data(),
                     .sample = sample.data()});
  }
  rate(state, static_cast<double>(x.size()));
}
BENCHMARK_CAPTURE(layer, binary, Unit::Binary);
BENCHMARK_CAPTURE(layer, gaussian, Unit::Gaussian);
BENCHMARK_CAPTURE(layer, non_negative, Unit::NonNegative);
BENCHMARK_CAPTURE(layer, categorical, Unit::Categorical);

void column_sums(benchmark::State& state) {
  const Tensor x = normal(Key(1), {100, kVisible}), sums = Tensor::zeros({kVisible});
  for (auto _ : state) kernels().column_sums(Dtype::F32, x.data(), 100, kVisible, 0.1, 1.0, sums.data());
  rate(state, static_cast<double>(x.size()));
}
BENCHMARK(column_sums);

void softplus_difference(benchmark::State& state) {
  const Tensor x = normal(Key(1), {100, 500}), bias = Tensor::zeros({500}),
               y = Tensor::zeros({100}, {Dtype::F64, Device::Cpu});
  for (auto _ : state) {
    kernels().softplus_difference(Dtype::F32, x.data(), bias.data(), 100, 500, 0.5, 0.501,
                                  static_cast<double*>(y.data()));
  }
  rate(state, static_cast<double>(x.size()));
}
BENCHMARK(softplus_difference);

void momentum(benchmark::State& state) {
  const Tensor g = weights(500), v = Tensor::zeros(g.shape()), w = weights(500);
  for (auto _ : state) {
    kernels().momentum({.n = g.size(),
                        .gradient = g.data(),
                        .rate = 0.1,
                        .momentum = 0.5,
                        .velocity = v.data(),
                        .parameter = w.data()});
  }
  rate(state, static_cast<double>(g.size()));
}
BENCHMARK(momentum);

/// The three products of contrastive divergence (form 0: V W, 1: H W', 2: W += V' H) with states of zeros and
/// ones or with other numbers on the left, as oneDNN takes them.
void gemm(benchmark::State& state, bool binary) {
  const Index form = state.range(0), hidden = state.range(1), batch = state.range(2);
  const auto left = [&](Index columns) {
    return binary ? states(batch, columns, 0.3, 1) : uniform(Key(1), {batch, columns});
  };
  const Tensor w = weights(hidden), v = form == 1 ? Tensor({batch, kVisible}) : left(kVisible),
               h = form == 1 ? left(hidden) : Tensor::zeros({batch, hidden});
  for (auto _ : state) {
    if (form == 0) product(false, false, v, w, 1.0, 0.0, h);
    if (form == 1) product(false, true, h, w, 1.0, 0.0, v);
    if (form == 2) product(true, false, v, h, 1e-6, 1.0, w);
  }
  rate(state, static_cast<double>(batch), static_cast<double>(batch * kVisible * hidden));
}
void shapes(benchmark::internal::Benchmark* b) {
  for (const auto& [hidden, batch] : {std::pair{500, 100}, {1000, 128}, {1000, 512}}) {
    for (const int form : {0, 1, 2}) b->Args({form, hidden, batch});
  }
}
BENCHMARK_CAPTURE(gemm, numbers, false)->Apply(shapes)->UseRealTime();
BENCHMARK_CAPTURE(gemm, states, true)->Apply(shapes)->UseRealTime();

/// A whole CD-1 step by hand: what the fused path can reach at best.
void cd1(benchmark::State& state) {
  const Index hidden = state.range(0), batch = state.range(1);
  const Tensor w = weights(hidden), b = Tensor::zeros({kVisible}), c = Tensor::zeros({hidden});
  const Tensor v0 = states(batch, kVisible, 0.19, 2), v1(v0.shape()), h0({batch, hidden}),
               h1({batch, hidden}), drawn({batch, hidden});
  const double rate_of_learning = 0.05 / static_cast<double>(batch);
  std::uint64_t key = 0;
  for (auto _ : state) {
    product(false, false, v0, w, 1.0, 0.0, h0);
    units(h0, c, 1.0, ++key, h0, drawn);
    product(false, true, drawn, w, 1.0, 0.0, v1);
    units(v1, b, 1.0, ++key, {}, v1);
    product(false, false, v1, w, 1.0, 0.0, h1);
    units(h1, c, 1.0, ++key, h1, {});
    product(true, false, v0, h0, rate_of_learning, 1.0, w);
    product(true, false, v1, h1, -rate_of_learning, 1.0, w);
    for (const auto& [x, sign, sums] : {std::tuple{v0, 1.0, b}, {v1, -1.0, b}, {h0, 1.0, c}, {h1, -1.0, c}}) {
      kernels().column_sums(Dtype::F32, x.data(), batch, x.dim(1), sign * rate_of_learning, 1.0, sums.data());
    }
  }
  rate(state, static_cast<double>(batch), 5.0 * static_cast<double>(batch * kVisible * hidden));
}
BENCHMARK(cd1)->Args({500, 100})->Args({1000, 128})->Args({1000, 512})->UseRealTime();

/// One sweep of 1000 chains of a 784 x 500 machine; `items` are sweeps.
void gibbs(benchmark::State& state) {
  const Tensor w = weights(500), b = Tensor::full({kVisible}, -1.0), c = Tensor::zeros({500}),
               v = states(1000, kVisible, 0.19, 2), h({1000, 500});
  std::uint64_t key = 0;
  for (auto _ : state) {
    product(false, false, v, w, 1.0, 0.0, h);
    units(h, c, 1.0, ++key, {}, h);
    product(false, true, h, w, 1.0, 0.0, v);
    units(v, b, 1.0, ++key, {}, v);
  }
  rate(state, 1.0, 2.0 * 1000 * kVisible * 500);
}
BENCHMARK(gibbs)->UseRealTime();

/// One temperature of annealed importance sampling with 100 chains; `items` are temperatures.
void annealing(benchmark::State& state) {
  const Tensor w = weights(500), b = Tensor::full({kVisible}, -1.0), c = Tensor::zeros({500}),
               v = states(100, kVisible, 0.19, 2), h({100, 500});
  const Tensor log_weights = Tensor::zeros({100}, {Dtype::F64, Device::Cpu});
  std::uint64_t key = 0;
  for (auto _ : state) {
    product(false, false, v, w, 1.0, 0.0, h);
    kernels().softplus_difference(Dtype::F32, h.data(), c.data(), 100, 500, 0.5, 0.501,
                                  static_cast<double*>(log_weights.data()));
    units(h, c, 0.501, ++key, {}, h);
    product(false, true, h, w, 1.0, 0.0, v);
    units(v, b, 0.501, ++key, {}, v);
  }
  rate(state, 1.0, 2.0 * 100 * kVisible * 500);
}
BENCHMARK(annealing)->UseRealTime();

}  // namespace
}  // namespace basin

BENCHMARK_MAIN();
