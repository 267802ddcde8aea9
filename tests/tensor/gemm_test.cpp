#include <cmath>

#include "tensor/cpu/products/gemm_binary.h"
#include "tensor/cpu/products/gemm_one_hot.h"
#include "tensor/kernels.h"

namespace basin::test {
namespace {

struct Product {
  Index m, n, k;
  bool transpose_a, transpose_b;
  double alpha, beta;
  Index padding;  // unused elements at the end of every row
};

/// Sum by sum in f64. Padding of c must stay as it was.
std::vector<double> reference(const Product& p, const std::vector<double>& a, const std::vector<double>& b,
                              std::vector<double> c) {
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  const Index lda = (p.transpose_a ? p.m : p.k) + p.padding, ldb = (p.transpose_b ? p.k : p.n) + p.padding,
              ldc = p.n + p.padding;
  for (Index i = 0; i < p.m; ++i) {
    for (Index j = 0; j < p.n; ++j) {
      double sum = 0.0;
      for (Index l = 0; l < p.k; ++l) {
        sum += a[at(p.transpose_a ? l * lda + i : i * lda + l)] *
               b[at(p.transpose_b ? j * ldb + l : l * ldb + j)];
      }
      double& out = c[at(i * ldc + j)];
      out = p.alpha * sum + (p.beta == 0.0 ? 0.0 : p.beta * out);
    }
  }
  return c;
}

/// What fills the left operand: the kernels may treat states of few ones on their own.
enum class Fill { Dense, Ones, FewNumbers };

Tensor left_operand(Shape shape, Fill fill, Placement where) {
  const Tensor dense = tensor(shape, 1, where);
  if (fill == Fill::Dense) return dense;
  std::vector<double> x = dense.values();
  for (double& v : x) v = std::abs(v) > 0.15 ? 0.0 : fill == Fill::Ones ? 1.0 : v;
  return Tensor::from(x, std::move(shape), where);
}

void check(const Product& p, Fill fill, Placement where) {
  const Tensor a =
      left_operand(p.transpose_a ? Shape{p.k, p.m + p.padding} : Shape{p.m, p.k + p.padding}, fill, where);
  const Tensor b =
      tensor(p.transpose_b ? Shape{p.n, p.k + p.padding} : Shape{p.k, p.n + p.padding}, 2, where);
  // beta = 0 must not read c: fill it with NaN, but for the padding, which has to keep its numbers.
  std::vector<double> start = tensor({p.m, p.n + p.padding}, 3, where).values();
  if (p.beta == 0.0) {
    for (Index i = 0; i < p.m; ++i) {
      for (Index j = 0; j < p.n; ++j)
        start[static_cast<std::size_t>(i * (p.n + p.padding) + j)] = std::nan("");
    }
  }
  const Tensor c = Tensor::from(start, {p.m, p.n + p.padding}, where);
  kernels().gemm({.dtype = where.dtype,
                  .transpose_a = p.transpose_a,
                  .transpose_b = p.transpose_b,
                  .m = p.m,
                  .n = p.n,
                  .k = p.k,
                  .alpha = p.alpha,
                  .a = a.data(),
                  .lda = a.dim(1),
                  .b = b.data(),
                  .ldb = b.dim(1),
                  .beta = p.beta,
                  .c = c.data(),
                  .ldc = c.dim(1)});
  const std::vector<double> expected = reference(p, a.values(), b.values(), start), found = c.values();
  const double tolerance = (where.dtype == Dtype::F32 ? 2e-7 : 4e-16) *
                           ((static_cast<double>(p.k) + 4.0) * std::abs(p.alpha) + std::abs(p.beta));
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], tolerance)
        << p.m << " x " << p.n << " x " << p.k << (p.transpose_a ? " A'" : " A")
        << (p.transpose_b ? " B'" : " B") << " alpha " << p.alpha << " beta " << p.beta << " fill "
        << static_cast<int>(fill) << " at " << i;
  }
}

TEST(Gemm, EveryFormAndFill) {
  const std::vector<Shape> extents = {{1, 1, 1},   {1, 7, 5},    {7, 1, 5},   {5, 7, 1},
                                      {3, 17, 33}, {16, 40, 24}, {50, 37, 65}};
  for (const Placement& where : {f32(), f64()}) {
    for (const Shape& e : extents) {
      for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
          for (const Fill fill : {Fill::Dense, Fill::Ones, Fill::FewNumbers}) {
            check({e[0], e[1], e[2], ta, tb, 1.0, 0.0, 0}, fill, where);
            check({e[0], e[1], e[2], ta, tb, -0.3, 1.0, 0}, fill, where);
            check({e[0], e[1], e[2], ta, tb, 0.7, 0.5, 3}, fill, where);
          }
        }
      }
    }
  }
}

TEST(Gemm, ProductsOfABoltzmannMachine) {
  for (const Fill fill : {Fill::Dense, Fill::Ones, Fill::FewNumbers}) {
    check({100, 50, 784, false, false, 1.0, 0.0, 0}, fill, f32());   // V W
    check({100, 784, 50, false, true, 1.0, 0.0, 0}, fill, f32());    // H W'
    check({784, 50, 100, true, false, 1e-3, 1.0, 0}, fill, f32());   // W += V' H
    check({300, 100, 200, false, false, 1.0, 0.0, 0}, fill, f32());  // threads
  }
}

TEST(Gemm, EmptySumsAndEmptyResults) {
  for (const Placement& where : {f32(), f64()}) {
    check({4, 5, 0, false, false, 1.0, 0.0, 1}, Fill::Dense, where);
    check({4, 5, 0, false, false, 1.0, 0.5, 1}, Fill::Dense, where);
    check({0, 5, 3, false, false, 1.0, 0.0, 0}, Fill::Dense, where);
    check({5, 0, 3, false, false, 1.0, 0.0, 0}, Fill::Dense, where);
  }
}

TEST(Gemm, StatesOfManyRows) {
  check({2051, 33, 50, false, false, 0.5, 0.0, 1}, Fill::Ones, f32());
  check({2051, 33, 50, true, true, 0.5, 1.0, 1}, Fill::Ones, f32());
}

TEST(Gemm, StatesGiveEqualBitsOnAnyThreads) {
  for (const bool transposed : {false, true}) {
    const Tensor a = left_operand(transposed ? Shape{200, 300} : Shape{300, 200}, Fill::Ones, f32()),
                 b = tensor({200, 130}, 5, f32());
    on_any_threads([&] {
      const Tensor c({300, 130}, f32());
      kernels().gemm({.transpose_a = transposed,
                      .m = 300,
                      .n = 130,
                      .k = 200,
                      .a = a.data(),
                      .lda = transposed ? 300 : 200,
                      .b = b.data(),
                      .ldb = 130,
                      .c = c.data(),
                      .ldc = 130});
      return c.values();
    });
  }
}

TEST(Gemm, OneOtherNumberAmongStates) {
  // The last element is found only when the kernel for states has begun: it must not have touched C.
  for (const bool transposed : {false, true}) {
    std::vector<double> states = left_operand({64, 48}, Fill::Ones, f32()).values();
    states.back() = 0.5;
    const Tensor a = Tensor::from(states, {64, 48}, f32());
    const Product p{transposed ? 48 : 64, 40, transposed ? 64 : 48, transposed, false, 1.0, 1.0, 0};
    const Tensor b = tensor({p.k, p.n}, 2, f32()), c = tensor({p.m, p.n}, 3, f32());
    const std::vector<double> expected = reference(p, a.values(), b.values(), c.values());
    kernels().gemm({.transpose_a = transposed,
                    .m = p.m,
                    .n = p.n,
                    .k = p.k,
                    .a = a.data(),
                    .lda = 48,
                    .b = b.data(),
                    .ldb = p.n,
                    .beta = 1.0,
                    .c = c.data(),
                    .ldc = p.n});
    const std::vector<double> found = c.values();
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-5);
  }
}

/// Rows of 40 symbols: one 1 each, or none.
Tensor one_hot_rows(Index rows) {
  std::vector<double> x(static_cast<std::size_t>(rows * 40), 0.0);
  const std::vector<double> drawn = numbers(rows, 11);
  for (Index i = 0; i < rows; ++i) {
    const auto symbol = static_cast<Index>((drawn[static_cast<std::size_t>(i)] + 1.0) * 5.5);
    if (symbol < 10) x[static_cast<std::size_t>(i * 40 + 3 * symbol)] = 1.0;
  }
  return Tensor::from(x, {rows, 40}, {Dtype::F32, Device::Cpu});
}

TEST(Gemm, OneHotRowsGiveTheBitsOfStatesOnAnyThreads) {
  const Placement host{Dtype::F32, Device::Cpu};
  for (const bool transposed : {false, true}) {
    for (const double beta : {0.0, 0.5}) {
      const Tensor a = one_hot_rows(150), b = tensor({150, 83}, 5, host);
      const auto product = [&](bool (*kernel)(const GemmCall&)) {
        const Tensor c = tensor({150, 83}, 6, host);
        EXPECT_TRUE(kernel({.transpose_a = transposed,
                            .m = transposed ? 40 : 150,
                            .n = 83,
                            .k = transposed ? 150 : 40,
                            .alpha = 0.3,
                            .a = a.data(),
                            .lda = 40,
                            .b = b.data(),
                            .ldb = 83,
                            .beta = beta,
                            .c = c.data(),
                            .ldc = 83}));
        return c.values();
      };
      EXPECT_EQ(on_any_threads([&] { return product(one_hot_gemm); }), product(binary_gemm));
    }
  }
}

TEST(Gemm, EqualBitsOnTheSameThreads) {
  const Tensor a = tensor({100, 784}, 4, f32()), b = tensor({784, 500}, 5, f32());
  const auto product = [&] {
    const Tensor c({100, 500}, f32());
    kernels().gemm({.m = 100,
                    .n = 500,
                    .k = 784,
                    .a = a.data(),
                    .lda = 784,
                    .b = b.data(),
                    .ldb = 500,
                    .c = c.data(),
                    .ldc = 500});
    return c.values();
  };
  EXPECT_EQ(product(), product());
}

}  // namespace
}  // namespace basin::test
