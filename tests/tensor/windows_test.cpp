// Windows over planes and numbers by index.
#include <array>
#include <cmath>

#include "tensor/kernels.h"

namespace basin::test {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

WindowCall call_of(Index planes, Index height, Index width, std::array<Index, 2> size,
                   std::array<Index, 2> stride, std::array<Index, 2> padding) {
  return {.planes = planes,
          .height = height,
          .width = width,
          .window_height = size[0],
          .window_width = size[1],
          .padding_y = padding[0],
          .padding_x = padding[1],
          .stride_y = stride[0],
          .stride_x = stride[1]};
}

std::vector<WindowCall> calls() {
  return {call_of(3, 8, 34, {2, 2}, {2, 2}, {0, 0}),   call_of(2, 9, 71, {2, 2}, {2, 2}, {0, 0}),
          call_of(2, 7, 6, {3, 2}, {2, 1}, {1, 0}),    call_of(1, 5, 40, {3, 3}, {2, 2}, {1, 1}),
          call_of(2, 6, 9, {2, 3}, {3, 4}, {0, 0}),    call_of(2, 4, 4, {4, 4}, {1, 1}, {3, 3}),
          call_of(40, 28, 28, {2, 2}, {2, 2}, {0, 0}), call_of(1, 1, 1, {1, 1}, {1, 1}, {0, 0})};
}

struct Result {
  Tensor y, index;
};

Result run(WindowCall call, WindowProduct product, const Tensor& x) {
  call.product = product;
  call.dtype = x.dtype();
  Result result{Tensor::full({call.y_size()}, std::nan(""), x.placement()), {}};
  if (product == WindowProduct::Max) {
    result.index = Tensor::full({call.out_size()}, std::nan(""), x.placement());
    call.index = result.index.data();
  }
  call.x = x.data();
  call.y = result.y.data();
  kernels().windows(call);
  return result;
}

/// body(flat window number, flat place in the windows, flat place in the planes or -1).
template <class Body>
void for_each_place(const WindowCall& call, const Body& body) {
  const Index rows = call.out_height(), columns = call.out_width(),
              size = call.window_height * call.window_width;
  for (Index out = 0; out < call.planes * rows * columns; ++out) {
    const Index p = out / (rows * columns), i = out / columns % rows, j = out % columns;
    for (Index place = 0; place < size; ++place) {
      const Index a = i * call.stride_y - call.padding_y + place / call.window_width,
                  b = j * call.stride_x - call.padding_x + place % call.window_width;
      const bool inside = a >= 0 && a < call.height && b >= 0 && b < call.width;
      body(out, ((p * size + place) * rows + i) * columns + j,
           inside ? (p * call.height + a) * call.width + b : -1);
    }
  }
}

TEST(Windows, EveryProductEqualsItsDefinition) {
  for (const Placement& where : {f32(), f64()}) {
    for (const WindowCall& call : calls()) {
      const double close = where.dtype == Dtype::F32 ? 2e-6 : 1e-14;
      const Tensor planes = tensor({call.plane_size()}, 1, where), out = tensor({call.out_size()}, 2, where),
                   unfolded = tensor({call.unfolded_size()}, 3, where);
      const std::vector<double> x = planes.values(), y = out.values(), u = unfolded.values();
      std::vector<double> sum(y.size(), 0.0), most(y.size(), -kInfinity), index(y.size(), -1.0),
          spread(x.size(), 0.0), fold(x.size(), 0.0), unfold(u.size(), 0.0);
      for_each_place(call, [&](Index window, Index place, Index pixel) {
        if (pixel < 0) return;
        const double here = x[at(pixel)];
        sum[at(window)] += here;
        if (here > most[at(window)]) {
          most[at(window)] = here;
          index[at(window)] = static_cast<double>(pixel % (call.height * call.width));
        }
        spread[at(pixel)] += y[at(window)];
        fold[at(pixel)] += u[at(place)];
        unfold[at(place)] = here;
      });
      const auto near = [&](const Tensor& found, const std::vector<double>& expected) {
        const std::vector<double> values = found.values();
        ASSERT_EQ(values.size(), expected.size());
        for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], close) << i;
      };
      near(run(call, WindowProduct::Sum, planes).y, sum);
      near(run(call, WindowProduct::Spread, out).y, spread);
      near(run(call, WindowProduct::Unfold, planes).y, unfold);
      near(run(call, WindowProduct::Fold, unfolded).y, fold);
      const Result largest = run(call, WindowProduct::Max, planes);
      EXPECT_EQ(largest.y.values(), most);
      EXPECT_EQ(largest.index.values(), index);
    }
  }
}

TEST(Windows, OfEqualsTheFirstAndANotANumberAboveAll) {
  const WindowCall call = call_of(1, 2, 40, {2, 2}, {2, 2}, {0, 0});
  std::vector<double> x(80, 0.0);
  x[5] = x[44] = x[45] = 1.0;  // window 2: places 5 and 45 of column 5, and 44
  x[46] = std::nan("");        // window 3
  x[8] = kInfinity;            // window 4, beside
  x[9] = std::nan("");
  const Result found = run(call, WindowProduct::Max, Tensor::from(x, {80}, f32()));
  const std::vector<double> y = found.y.values(), index = found.index.values();
  EXPECT_EQ(index[0], 0.0);
  EXPECT_EQ(index[2], 5.0);
  EXPECT_EQ(index[3], 46.0);
  EXPECT_EQ(index[4], 9.0);
  EXPECT_TRUE(std::isnan(y[3]) && std::isnan(y[4]));
  EXPECT_EQ(index[19], 38.0);
}

TEST(Windows, EqualBitsOnAnyThreads) {
  const WindowCall call = call_of(60, 30, 30, {3, 3}, {2, 2}, {1, 1});
  const Tensor planes = tensor({call.plane_size()}, 1, f32()), out = tensor({call.out_size()}, 2, f32());
  on_any_threads([&] { return run(call, WindowProduct::Sum, planes).y.values(); });
  on_any_threads([&] { return run(call, WindowProduct::Spread, out).y.values(); });
  on_any_threads([&] { return run(call, WindowProduct::Max, planes).y.values(); });
}

TEST(ByIndex, GathersAndScatters) {
  for (const Placement& where : {f32(), f64()}) {
    for (const Shape& extents :
         {Shape{1, 7, 5, 9}, Shape{4, 6, 1, 3}, Shape{3, 5, 2, 1}, Shape{2, 3, 4, 0}}) {
      IndexCall call{.dtype = where.dtype,
                     .outer = extents[0],
                     .middle = extents[1],
                     .inner = extents[2],
                     .count = extents[3]};
      const Tensor whole = tensor({call.whole_size()}, 1, where),
                   chosen = tensor({call.chosen_size()}, 2, where);
      std::vector<double> index;
      for (Index i = 0; i < call.outer * call.count; ++i)
        index.push_back(static_cast<double>(i * i % call.middle));
      const Tensor indices = Tensor::from(index, {call.outer * call.count}, where);
      const Tensor gathered(chosen.shape(), where);
      const Tensor scattered = Tensor::full(whole.shape(), std::nan(""), where);
      call.index = indices.data();
      call.x = whole.data();
      call.y = gathered.data();
      kernels().gather(call);
      call.x = chosen.data();
      call.y = scattered.data();
      kernels().scatter(call);
      const std::vector<double> x = whole.values(), y = chosen.values(), found = gathered.values(),
                                sums = scattered.values();
      std::vector<double> expected(x.size(), 0.0);
      for (Index i = 0; i < call.chosen_size(); ++i) {
        const Index r = i / call.inner,
                    place = (r / call.count * call.middle + static_cast<Index>(index[at(r)])) * call.inner +
                            i % call.inner;
        EXPECT_EQ(found[at(i)], x[at(place)]);
        expected[at(place)] += y[at(i)];
      }
      for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(sums[i], expected[i], 1e-6);
    }
  }
}

TEST(ByIndex, ScattersEqualBitsOnAnyThreads) {
  IndexCall call{.outer = 1, .middle = 50, .inner = 300, .count = 900};
  const Tensor chosen = tensor({call.chosen_size()}, 2, f32());
  std::vector<double> index;
  for (Index i = 0; i < call.count; ++i) index.push_back(static_cast<double>(i * 7 % 50));
  const Tensor indices = Tensor::from(index, {call.count}, f32()), whole({call.whole_size()}, f32());
  call.index = indices.data();
  call.x = chosen.data();
  call.y = whole.data();
  on_any_threads([&] {
    kernels().scatter(call);
    return whole.values();
  });
}

}  // namespace
}  // namespace basin::test
