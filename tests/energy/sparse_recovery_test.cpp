#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/sparse_problem.h"
#include "support/device.h"
#include "tensor/random.h"

/// Compressed sensing: A [250, 500] with columns of norm 1 from N(0, 1/250), x Bernoulli(0.1) N(0, 1), y = A
/// x, and how far ISTA and FISTA are from x after k steps, in dB: 10 log10(sum |z - x|^2 / sum |x|^2). The
/// problem of Chen, Liu, Wang, Yin 2018.
namespace basin::test {
namespace {

constexpr Index kRows = 250, kColumns = 500, kSignals = 4;
const std::vector<Index> kSteps{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

struct Recovery {
  Recovery() {
    const Placement host{Dtype::F32, Device::Cpu};
    columns = normal(Key(5).fold("A"), {kColumns, kRows}, host).values();
    for (auto column = columns.begin(); column != columns.end(); column += kRows) {
      double square = 0.0;
      std::for_each(column, column + kRows, [&](double a) { square += a * a; });
      std::for_each(column, column + kRows,
                    [&](double& a) { a = static_cast<double>(static_cast<float>(a / std::sqrt(square))); });
    }
    rows.resize(columns.size());
    for (Index j = 0; j < kColumns; ++j) {
      for (Index i = 0; i < kRows; ++i)
        rows[static_cast<std::size_t>(i * kColumns + j)] = columns[static_cast<std::size_t>(j * kRows + i)];
    }
    x = normal(Key(5).fold("x"), {kSignals, kColumns}, host).values();
    const std::vector<double> on =
        bernoulli(Key(5).fold("support"), Tensor::full({kSignals, kColumns}, 0.1, host)).values();
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= on[i];
    y.resize(static_cast<std::size_t>(kSignals * kRows));
    for (Index n = 0; n < kSignals; ++n) product(x.data() + n * kColumns, y.data() + n * kRows);
  }
  /// A v, by plain loops that pass over zeros.
  void product(const double* v, double* out) const {
    std::fill_n(out, kRows, 0.0);
    for (Index j = 0; j < kColumns; ++j) {
      if (v[j] == 0.0) continue;
      const double* column = columns.data() + j * kRows;
      for (Index i = 0; i < kRows; ++i) out[i] += v[j] * column[i];
    }
  }
  /// A' r.
  void transposed(const double* r, double* out) const {
    std::fill_n(out, kColumns, 0.0);
    for (Index i = 0; i < kRows; ++i) {
      const double* row = rows.data() + i * kColumns;
      for (Index j = 0; j < kColumns; ++j) out[j] += r[i] * row[j];
    }
  }
  double largest_eigenvalue() const {
    std::vector<double> v(static_cast<std::size_t>(kColumns), 1.0), image(static_cast<std::size_t>(kRows));
    double length = 0.0;
    for (int i = 0; i < 500; ++i) {
      product(v.data(), image.data());
      transposed(image.data(), v.data());
      length = 0.0;
      for (const double a : v) length += a * a;
      length = std::sqrt(length);
      for (double& a : v) a /= length;
    }
    return length;
  }
  double decibel(const std::vector<double>& z) const {
    double error = 0.0, power = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      error += (z[i] - x[i]) * (z[i] - x[i]);
      power += x[i] * x[i];
    }
    return 10.0 * std::log10(error / power);
  }
  /// After each of kSteps, by ISTA or FISTA (Beck and Teboulle 2009) written out.
  std::vector<double> reference(double lambda, bool momentum) const {
    const double step = 1.0 / largest_eigenvalue();
    std::vector<double> z(x.size(), 0.0), u = z, before = z, result;
    std::vector<double> r(static_cast<std::size_t>(kRows)), g(static_cast<std::size_t>(kColumns));
    double t = 1.0;
    for (Index k = 1; k <= kSteps.back(); ++k) {
      before = z;
      for (Index n = 0; n < kSignals; ++n) {
        product(u.data() + n * kColumns, r.data());
        for (Index i = 0; i < kRows; ++i)
          r[static_cast<std::size_t>(i)] -= y[static_cast<std::size_t>(n * kRows + i)];
        transposed(r.data(), g.data());
        for (Index j = 0; j < kColumns; ++j) {
          const auto at = static_cast<std::size_t>(n * kColumns + j);
          const double v = u[at] - step * g[static_cast<std::size_t>(j)];
          z[at] = v > step * lambda ? v - step * lambda : v < -step * lambda ? v + step * lambda : 0.0;
        }
      }
      const double next = momentum ? 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t * t)) : 1.0;
      for (std::size_t i = 0; i < z.size(); ++i) u[i] = z[i] + (t - 1.0) / next * (z[i] - before[i]);
      t = next;
      if (k == kSteps[result.size()]) result.push_back(decibel(z));
    }
    return result;
  }
  std::vector<double> columns, rows, x, y;  // A by columns and by rows
};

class SparseRecovery : public testing::TestWithParam<double> {};

TEST_P(SparseRecovery, IstaAndFistaFollowTheReference) {
  const Recovery recovery;
  for (const bool momentum : {false, true}) {
    const std::vector<double> expected = recovery.reference(GetParam(), momentum);
    for (const Placement placement : {f32(), f64()}) {
      FactorGraph graph;
      const Variable y = graph.real("y", {kRows}), z = graph.real("z", {kColumns});
      const Linear decoder(kColumns, kRows, Key(1), {.bias = false, .placement = placement});
      decoder.weight().tensor().copy_from(Tensor::from(recovery.columns, {kColumns, kRows}, placement));
      graph.add(SquaredError(y, decoder, z)).add(L1(z, GetParam()));
      const State state = State().set(y, Tensor::from(recovery.y, {kSignals, kRows}, placement));
      const Ista ista(z);
      const Fista fista(z, {.restart = false});
      const Transition& transition = momentum ? static_cast<const Transition&>(fista) : ista;
      for (std::size_t i = 0; i < kSteps.size(); ++i) {
        for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
          if (fuse == Fuse::Off && kSteps[i] > 16) continue;  // the same steps (see the tests of the rule)
          const Inferred result = infer(graph, z, transition, state,
                                        {.max_steps = kSteps[i], .stop = Stop::Never, .fuse = fuse}, Key(1));
          EXPECT_NEAR(recovery.decibel(result.state[z].tensor().values()), expected[i], 0.3)
              << (momentum ? "FISTA" : "ISTA") << " k = " << kSteps[i]
              << (placement.dtype == Dtype::F64 ? " f64" : " f32");
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lambda, SparseRecovery, testing::Values(0.2, 0.1, 0.05, 0.025),
                         [](const auto& test) {
                           return std::to_string(static_cast<int>(std::lround(1000.0 * test.param))) +
                                  "_1000ths";
                         });

}  // namespace
}  // namespace basin::test
