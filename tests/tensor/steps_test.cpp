#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "tensor/kernels.h"

namespace basin::test {
namespace {

AdaptiveCall adaptive_call(const Tensor& gradient, const Tensor& mean, const Tensor& square,
                           const Tensor& parameter) {
  return {.dtype = gradient.dtype(),
          .n = gradient.size(),
          .gradient = gradient.data(),
          .mean_keep = 0.9,
          .mean_share = 0.1,
          .square_keep = 0.99,
          .square_share = 0.01,
          .rate = 0.05,
          .scale = 1.7,
          .epsilon = 0.02,
          .keep = 0.98,
          .mean = mean.defined() ? mean.data() : nullptr,
          .square = square.data(),
          .parameter = parameter.data()};
}

Tensor squares(Index n, Placement where) {
  std::vector<double> values = tensor({n}, 34, where).values();
  for (double& v : values) v *= v;
  return Tensor::from(values, {n}, where);
}

TEST(Adaptive, OneStepOfTheFormula) {
  for (const Placement& where : {f32(), f64()}) {
    for (const bool has_mean : {false, true}) {
      const Index n = 50003;
      const Tensor gradient = tensor({n}, 31, where), mean = has_mean ? tensor({n}, 32, where) : Tensor(),
                   parameter = tensor({n}, 33, where), square = squares(n, where);
      const std::vector<double> g = gradient.values(), w = parameter.values(), s = square.values(),
                                m = has_mean ? mean.values() : g;
      kernels().adaptive(adaptive_call(gradient, mean, square, parameter));
      const std::vector<double> new_w = parameter.values(), new_s = square.values();
      const double tolerance = where.dtype == Dtype::F32 ? 1e-6 : 1e-14;
      for (std::size_t i = 0; i < g.size(); ++i) {
        const double mean_now = has_mean ? 0.9 * m[i] + 0.1 * g[i] : g[i],
                     square_now = 0.99 * s[i] + 0.01 * g[i] * g[i];
        ASSERT_NEAR(new_s[i], square_now, tolerance * std::max(1.0, square_now));
        ASSERT_NEAR(new_w[i], 0.98 * w[i] - 0.05 * mean_now / (std::sqrt(1.7 * square_now) + 0.02),
                    tolerance * 5);
      }
      if (has_mean) {
        EXPECT_NEAR(mean.values()[7], 0.9 * m[7] + 0.1 * g[7], tolerance);
      }
    }
  }
}

TEST(Adaptive, IndependentOfThreads) {
  on_any_threads([] {
    const Tensor gradient = tensor({50003}, 31, f32()), mean = tensor({50003}, 32, f32()),
                 parameter = tensor({50003}, 33, f32());
    kernels().adaptive(adaptive_call(gradient, mean, squares(50003, f32()), parameter));
    return parameter.values();
  });
}

/// `count` steps of parameters of several sizes and both dtypes, one by one or all at once; the parameters
/// after them.
template <class Call>
std::vector<std::vector<double>> many_steps(
    Index count, bool at_once, const std::function<Call(const Tensor&, const Tensor&, const Tensor&)>& step,
    void (Backend::*one)(const Call&), void (Backend::*all)(std::span<const Call>)) {
  std::vector<Tensor> parameters, others;
  std::vector<Call> calls;
  for (Index i = 0; i < count; ++i) {
    const Placement where = i % 5 == 3 ? f64() : f32();
    const Index n = i * 37 % 101;  // nothing, too
    parameters.push_back(tensor({n}, static_cast<std::uint64_t>(i), where));
    const Tensor gradient = tensor({n}, static_cast<std::uint64_t>(i) + 100, where), kept = squares(n, where);
    others.insert(others.end(), {gradient, kept});
    calls.push_back(step(gradient, kept, parameters.back()));
  }
  if (at_once) {
    (kernels().*all)(calls);
  } else {
    for (const Call& call : calls) (kernels().*one)(call);
  }
  std::vector<std::vector<double>> results;
  for (const Tensor& parameter : parameters) results.push_back(parameter.values());
  return results;
}

TEST(Steps, AllAtOnceHaveTheBitsOfOneByOne) {
  const std::function<MomentumCall(const Tensor&, const Tensor&, const Tensor&)> momentum =
      [](const Tensor& g, const Tensor& kept, const Tensor& p) {
        return MomentumCall{g.dtype(), g.size(), g.data(), -0.1, 0.5, 0.01, kept.data(), p.data()};
      };
  const std::function<AdaptiveCall(const Tensor&, const Tensor&, const Tensor&)> adaptive =
      [](const Tensor& g, const Tensor& kept, const Tensor& p) {
        return adaptive_call(g, Tensor(), kept, p);
      };
  for (const Index count : {0, 1, 7, 80}) {  // more than a launch holds
    EXPECT_EQ(many_steps<MomentumCall>(count, true, momentum, &Backend::momentum, &Backend::momentum_all),
              many_steps<MomentumCall>(count, false, momentum, &Backend::momentum, &Backend::momentum_all));
    EXPECT_EQ(many_steps<AdaptiveCall>(count, true, adaptive, &Backend::adaptive, &Backend::adaptive_all),
              many_steps<AdaptiveCall>(count, false, adaptive, &Backend::adaptive, &Backend::adaptive_all));
  }
}

TEST(Restrain, ClampsThenAddsSlopes) {
  for (const Placement& where : {f32(), f64()}) {
    const Tensor gradient = tensor({50003}, 35, where), parameter = tensor({50003}, 36, where);
    const std::vector<double> g = gradient.values(), w = parameter.values();
    const std::vector<double> y = on_any_threads([&] {
      const Tensor out = gradient.clone();
      kernels().restrain({.dtype = where.dtype,
                          .n = out.size(),
                          .gradient = out.data(),
                          .scale = 0.7,
                          .limit = 0.4,
                          .l1 = 0.05,
                          .l2 = 0.3,
                          .parameter = parameter.data(),
                          .y = out.data()});
      return out.values();
    });
    for (std::size_t i = 0; i < g.size(); ++i) {
      ASSERT_NEAR(y[i], std::clamp(0.7 * g[i], -0.4, 0.4) + 0.3 * w[i] + 0.05 * (w[i] > 0 ? 1 : -1),
                  where.dtype == Dtype::F32 ? 1e-6 : 1e-14);
    }
  }
  const Tensor nan = Tensor::full({1}, std::nan(""), f64()), zero = Tensor::zeros({1}, f64());
  kernels().restrain({.dtype = Dtype::F64,
                      .n = 1,
                      .gradient = nan.data(),
                      .limit = 1.0,
                      .parameter = zero.data(),
                      .y = zero.data()});
  EXPECT_TRUE(std::isnan(zero.item()));
}

TEST(Dot, AddsToWhatIsThere) {
  for (const Placement& where : {f32(), f64()}) {
    for (const Index n : {Index{0}, Index{1}, Index{17}, Index{16384}, Index{100003}}) {
      const Tensor a = tensor({n}, 37, where), b = tensor({n}, 38, where);
      const std::vector<double> x = a.values(), y = b.values();
      double expected = 0.25, size = 1.0;
      for (std::size_t i = 0; i < x.size(); ++i) expected += x[i] * y[i], size += std::abs(x[i] * y[i]);
      const std::vector<double> sum = on_any_threads([&] {
        const Tensor total = Tensor::full({1}, 0.25, f64());
        kernels().dot(where.dtype, a.data(), b.data(), n, static_cast<double*>(total.data()));
        return total.values();
      });
      EXPECT_NEAR(sum[0], expected, 1e-14 * size);
    }
  }
}

TEST(LimitNorms, ScalesDownWhatIsLonger) {
  for (const Placement& where : {f32(), f64()}) {
    for (const auto& extents :
         std::vector<std::array<Index, 3>>{{1, 60, 130}, {7, 25, 1}, {3, 5, 4}, {1, 300, 300}}) {
      const Index outer = extents[0], middle = extents[1], inner = extents[2];
      const Tensor x = tensor({outer, middle, inner}, 39, where);
      const double limit = std::sqrt(static_cast<double>(middle) / 3.0);  // about half are longer
      const std::vector<double> before = x.values();
      const std::vector<double> after = on_any_threads([&] {
        const Tensor y = x.clone();
        kernels().limit_norms(where.dtype, y.data(), outer, middle, inner, limit);
        return y.values();
      });
      Index longer = 0;
      for (Index o = 0; o < outer; ++o) {
        for (Index i = 0; i < inner; ++i) {
          const auto at = [&](Index m) { return static_cast<std::size_t>((o * middle + m) * inner + i); };
          double norm = 0.0;
          for (Index m = 0; m < middle; ++m) norm += before[at(m)] * before[at(m)];
          const double factor = std::min(1.0, limit / std::sqrt(norm));
          longer += factor < 1.0 ? 1 : 0;
          for (Index m = 0; m < middle; ++m)
            ASSERT_NEAR(after[at(m)], factor * before[at(m)], where.dtype == Dtype::F32 ? 1e-6 : 1e-14);
        }
      }
      EXPECT_GT(longer, 0);
    }
  }
}

}  // namespace
}  // namespace basin::test
