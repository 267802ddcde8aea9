#include <array>
#include <cmath>

#include "tensor/kernels.h"

namespace basin::test {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// The three products, sum by sum in f64: whichever of the arrays `product` names is overwritten.
void reference(const ConvCall& call, std::vector<double>& x, std::vector<double>& w, std::vector<double>& y) {
  std::vector<double>& result = call.product == ConvProduct::Output  ? y
                                : call.product == ConvProduct::Input ? x
                                                                     : w;
  std::fill(result.begin(), result.end(), 0.0);
  for (Index n = 0; n < call.images; ++n) {
    for (Index k = 0; k < call.out_channels; ++k) {
      for (Index i = 0; i < call.out_height(); ++i) {
        for (Index j = 0; j < call.out_width(); ++j) {
          const Index in = call.in_channels / call.groups, first = k / (call.out_channels / call.groups) * in;
          for (Index c = first; c < first + in; ++c) {
            for (Index u = 0; u < call.filter_height; ++u) {
              for (Index v = 0; v < call.filter_width; ++v) {
                const Index a = i * call.stride_y + u * call.dilation_y - call.padding_y,
                            b = j * call.stride_x + v * call.dilation_x - call.padding_x;
                if (a < 0 || a >= call.height || b < 0 || b >= call.width) continue;
                double& to_x = x[at(((n * call.in_channels + c) * call.height + a) * call.width + b)];
                double& to_w = w[at(((k * in + c - first) * call.filter_height + u) * call.filter_width + v)];
                double& to_y =
                    y[at(((n * call.out_channels + k) * call.out_height() + i) * call.out_width() + j)];
                if (call.product == ConvProduct::Output) to_y += to_w * to_x;
                if (call.product == ConvProduct::Input) to_x += to_w * to_y;
                if (call.product == ConvProduct::Filter) to_w += to_x * to_y;
              }
            }
          }
        }
      }
    }
  }
}

Tensor run(ConvCall call, const Tensor& x, const Tensor& w, const Tensor& y) {
  const Tensor& like = call.product == ConvProduct::Output ? y : call.product == ConvProduct::Input ? x : w;
  const Tensor result =
      Tensor::full(like.shape(), std::nan(""), like.placement());  // what it held must not matter
  call.dtype = like.dtype();
  call.x = call.product == ConvProduct::Input ? nullptr : x.data();
  call.w = call.product == ConvProduct::Filter ? nullptr : w.data();
  call.y = call.product == ConvProduct::Output ? nullptr : y.data();
  call.result = result.data();
  kernels().convolve(call);
  return result;
}

void check(ConvCall call, Placement where) {
  const Tensor x = tensor({call.x_size()}, 1, where), w = tensor({call.w_size()}, 2, where),
               y = tensor({call.y_size()}, 3, where);
  for (const ConvProduct product : {ConvProduct::Output, ConvProduct::Input, ConvProduct::Filter}) {
    call.product = product;
    std::vector<double> xs = x.values(), ws = w.values(), ys = y.values();
    reference(call, xs, ws, ys);
    const std::vector<double>& expected = product == ConvProduct::Output  ? ys
                                          : product == ConvProduct::Input ? xs
                                                                          : ws;
    const std::vector<double> found = run(call, x, w, y).values();
    const double terms = product == ConvProduct::Filter
                             ? static_cast<double>(call.images * call.out_height() * call.out_width())
                             : static_cast<double>(call.filter_height * call.filter_width) *
                                   static_cast<double>(std::max(call.in_channels, call.out_channels));
    const double tolerance = (where.dtype == Dtype::F32 ? 1e-7 : 2e-16) * (terms + 8.0);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_NEAR(found[i], expected[i], tolerance)
          << "product " << static_cast<int>(product) << " images " << call.images << " channels "
          << call.in_channels << " -> " << call.out_channels << " x " << call.height << " x " << call.width
          << " filter " << call.filter_height << " x " << call.filter_width << " padding " << call.padding_y
          << " " << call.padding_x << " at " << i;
    }
  }
}

ConvCall shapes(Index images, Index in, Index out, Index height, Index width, Index fh, Index fw, Index py,
                Index px) {
  return {.images = images,
          .in_channels = in,
          .out_channels = out,
          .height = height,
          .width = width,
          .filter_height = fh,
          .filter_width = fw,
          .padding_y = py,
          .padding_x = px};
}

TEST(Convolve, EveryProductEqualsItsSums) {
  for (const Placement& where : {f32(), f64()}) {
    check(shapes(1, 1, 1, 1, 1, 1, 1, 0, 0), where);
    check(shapes(2, 1, 5, 9, 11, 3, 3, 0, 0), where);
    check(shapes(2, 3, 1, 12, 40, 5, 5, 0, 0), where);
    check(shapes(1, 2, 2, 20, 33, 9, 9, 8, 8), where);  // full
    check(shapes(3, 5, 4, 7, 6, 3, 5, 1, 2), where);    // same, narrower than a vector
    check(shapes(1, 4, 7, 17, 70, 2, 4, 0, 3), where);
    check(shapes(1, 1, 6, 30, 27, 9, 7, 4, 0), where);
    check(shapes(2, 1, 3, 5, 5, 5, 5, 0, 0), where);  // one number an image
    check(shapes(1, 2, 3, 6, 9, 3, 3, 4, 5),
          where);  // more padding than the filter can use: the transpose crops
    check(shapes(20, 1, 2, 8, 8, 3, 3, 1, 1), where);
    for (Index width = 1; width < 60; width += width < 20 ? 1 : 5)
      check(shapes(1, 1, 4, 4, width, 3, 1, 1, 0), where);
    for (Index height = 1; height < 20; ++height) check(shapes(1, 1, 1, height, 18, 4, 3, 3, 1), where);
  }
}

/// The same with stride, dilation and groups.
ConvCall spaced(ConvCall call, std::array<Index, 2> stride, std::array<Index, 2> dilation, Index groups) {
  call.stride_y = stride[0];
  call.stride_x = stride[1];
  call.dilation_y = dilation[0];
  call.dilation_x = dilation[1];
  call.groups = groups;
  return call;
}

std::vector<ConvCall> spaced_calls() {
  return {spaced(shapes(2, 3, 4, 9, 11, 3, 2, 1, 0), {2, 3}, {1, 1}, 1),
          spaced(shapes(2, 4, 6, 8, 7, 3, 3, 1, 1), {1, 1}, {1, 1}, 2),
          spaced(shapes(1, 2, 2, 12, 13, 3, 3, 2, 1), {1, 1}, {2, 3}, 1),
          spaced(shapes(3, 8, 16, 13, 12, 3, 5, 1, 2), {2, 2}, {2, 1}, 4),
          spaced(shapes(2, 16, 16, 11, 11, 3, 3, 1, 1), {2, 2}, {1, 1}, 16),
          spaced(shapes(2, 3, 20, 23, 23, 7, 7, 3, 3), {4, 4}, {1, 1}, 1)};
}

TEST(Convolve, StridesDilationsAndGroups) {
  for (const ConvCall& call : spaced_calls()) {
    check(call, f32());
    check(call, f64());
  }
}

TEST(Convolve, ManyChannels) {
  check(shapes(3, 16, 24, 14, 14, 3, 3, 1, 1), f32());
  check(shapes(5, 32, 64, 9, 10, 3, 3, 1, 1), f32());
  check(shapes(2, 6, 16, 14, 14, 5, 5, 0, 0), f32());
  check(shapes(2, 40, 33, 8, 7, 1, 1, 0, 0), f32());
  for (Index padding = 0; padding <= 2; ++padding) {  // by Winograd, odd and even extents
    check(shapes(2, 16, 17, 18, 19, 3, 3, padding, 2 - padding), f32());
    check(shapes(1, 33, 16, 9 + padding, 40, 3, 3, padding, padding), f32());
  }
}

TEST(Convolve, DictionariesOfManyFilters) {
  check(shapes(1, 1, 64, 24, 40, 9, 9, 8, 8), f32());
  check(shapes(1, 64, 1, 32, 48, 9, 9, 0, 0), f32());
  check(shapes(2, 16, 16, 12, 12, 5, 5, 2, 2), f32());
}

TEST(Convolve, EqualBitsOnAnyThreads) {
  ConvCall call = shapes(5, 3, 9, 30, 50, 5, 5, 2, 2);
  const Tensor x = tensor({call.x_size()}, 1, f32()), w = tensor({call.w_size()}, 2, f32()),
               y = tensor({call.y_size()}, 3, f32());
  for (const ConvProduct product : {ConvProduct::Output, ConvProduct::Input, ConvProduct::Filter}) {
    call.product = product;
    on_any_threads([&] { return run(call, x, w, y).values(); });
  }
}

TEST(Convolve, EqualBitsOnAnyThreadsWhateverTheOptions) {
  std::vector<ConvCall> calls = spaced_calls();
  calls.push_back(shapes(37, 32, 64, 12, 12, 3, 3, 1, 1));
  calls.push_back(shapes(37, 6, 16, 14, 14, 5, 5, 0, 0));
  calls.push_back(shapes(2, 6, 16, 14, 14, 5, 5, 0, 0));  // too little for threads
  calls.push_back(shapes(7, 16, 24, 21, 22, 3, 3, 1, 1));
  for (ConvCall call : calls) {
    const Tensor x = tensor({call.x_size()}, 1, f32()), w = tensor({call.w_size()}, 2, f32()),
                 y = tensor({call.y_size()}, 3, f32());
    for (const ConvProduct product : {ConvProduct::Output, ConvProduct::Input, ConvProduct::Filter}) {
      call.product = product;
      on_any_threads([&] { return run(call, x, w, y).values(); });
    }
  }
}

TEST(Convolve, ANumberOutsideOfTheSumsDoesNotLeak) {
  // An infinity at one place reaches only the sums that contain it.
  ConvCall call = shapes(1, 1, 4, 6, 9, 3, 3, 0, 0);
  std::vector<double> numbers(at(call.x_size()), 1.0);
  numbers[8] = kInfinity;  // the end of the first row
  const Tensor x = Tensor::from(numbers, {call.x_size()}, f32()), w = tensor({call.w_size()}, 2, f32());
  const Tensor y = Tensor::full({call.y_size()}, 1.0, f32());
  const std::vector<double> found = run(call, x, w, y).values();
  for (Index i = 0; i < call.y_size(); ++i) EXPECT_EQ(std::isfinite(found[at(i)]), !(i % 28 == 6)) << i;
}

}  // namespace
}  // namespace basin::test
