#include <cmath>

#include "kernels.h"

namespace basin {
namespace {

using test::f32;
using test::f64;
using test::kernels;
using test::kInfinity;
using test::tensor;

std::vector<double> largest_of(const Tensor& x, Index count) {
  return test::on_any_threads([&] {
    const Tensor y = Tensor::full(x.shape(), -7, x.placement());
    kernels().largest(x.dtype(), x.data(), y.data(), x.dim(0), x.dim(1), count);
    return y.values();
  });
}

TEST(Largest, MarksWhatSortingFinds) {
  for (const Placement where : {f32(), f64()}) {
    for (const Index columns : {1, 7, 500}) {
      const Tensor x = tensor({200, columns}, 3, where);
      const std::vector<double> values = x.values();
      for (const Index count : {Index{0}, Index{1}, columns / 3, columns}) {
        const std::vector<double> mask = largest_of(x, count);
        for (std::size_t r = 0; r < 200; ++r) {
          const auto n = static_cast<std::size_t>(columns);
          std::vector<double> row(values.begin() + static_cast<long>(r * n),
                                  values.begin() + static_cast<long>((r + 1) * n));
          std::sort(row.begin(), row.end(), std::greater<double>());
          for (std::size_t c = 0; c < n; ++c) {
            const bool in = count > 0 && values[r * n + c] >= row[static_cast<std::size_t>(count - 1)];
            ASSERT_EQ(mask[r * n + c], in ? 1.0 : 0.0) << r << ", " << c;
          }
        }
      }
    }
  }
}

TEST(Largest, OfEqualsTheFirst) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor x = Tensor::from(std::vector<double>{2, 1, 3, 2, 2, 5, 5, 5, 5, 5}, {2, 5}, where);
    EXPECT_EQ(largest_of(x, 1), (std::vector<double>{0, 0, 1, 0, 0, 1, 0, 0, 0, 0}));
    EXPECT_EQ(largest_of(x, 3), (std::vector<double>{1, 0, 1, 1, 0, 1, 1, 1, 0, 0}));
  }
}

TEST(Largest, TakesNanForTheSmallest) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor x = Tensor::from(
        std::vector<double>{std::nan(""), -kInfinity, -1, kInfinity, std::nan(""), -2}, {1, 6}, where);
    EXPECT_EQ(largest_of(x, 3), (std::vector<double>{0, 0, 1, 1, 0, 1}));
  }
}

}  // namespace
}  // namespace basin
