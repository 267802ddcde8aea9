#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace basin {

/// Elementwise functions of one argument. Sign(0) = 0; Step(x) = 1 for x > 0, else 0; LogNdtr(x) = log Phi(x)
/// of the standard normal, safe in the far tail, Ndtr(x) = Phi(x); Elu(x) = x for x > 0, else e^x - 1.
enum class Unary {
  Neg,
  Exp,
  Log,
  Log1p,
  Sqrt,
  Square,
  Reciprocal,
  Abs,
  Sign,
  Step,
  Sigmoid,
  Tanh,
  Softplus,
  Relu,
  LogNdtr,
  Atan,
  Asinh,
  Ndtr,
  Elu
};

/// Elementwise functions of two arguments. Comparisons give 0 or 1. Shrink(x, t) = sign(x) max(0, |x| - t)
/// for t >= 0.
enum class Binary { Add, Sub, Mul, Div, Max, Min, Pow, Less, LessEqual, Equal, Shrink };

/// Reductions over the middle axis of [outer, middle, inner].
enum class Reduction { Sum, Max, LogSumExp };

/// What check() asks of every one of n numbers: to be so far from infinity that no sum of them reaches it,
/// |x| <= largest / n; to be above 0. A NaN fails both.
enum class Check { Finite, Positive };

/// What a unit of a bipartite energy is, given its total input a = x W + bias (see UnitCall).
enum class Unit {
  Binary,       // mean sigma(a)
  Gaussian,     // mean a / precision, variance 1 / precision
  NonNegative,  // the same normal, truncated to [0, inf)
  Categorical   // softmax over groups of `group` neighbours, one-hot draws
};

/// C = alpha * op(A) op(B) + beta * C, row-major, op(A) is [m, k], op(B) is [k, n]; beta = 0 ignores what C
/// held. `batch` such products lie stride_a, stride_b and stride_c elements apart.
/// Sums are rounded in an order that may depend on the thread count, except when A holds zeros and ones
/// alone; then an infinity or NaN of B that meets only zeros may be passed over.
struct GemmCall {
  Dtype dtype = Dtype::F32;
  bool transpose_a = false, transpose_b = false;
  Index m = 0, n = 0, k = 0;
  double alpha = 1.0;
  const void* a = nullptr;
  Index lda = 0;
  const void* b = nullptr;
  Index ldb = 0;
  double beta = 0.0;
  void* c = nullptr;
  Index ldc = 0;
  Index batch = 1, stride_a = 0, stride_b = 0, stride_c = 0;
};

/// One fused pass over the units of a layer: a = scale * (input + bias) + base, then mean and draw; with
/// row_scales, scale * row_scales[n] in the place of scale.
/// Draw (n, j) is draw n * units + j of the stream `key` (first_draw shifts it for a slice of rows).
/// Null outputs are not written; mean and sample may alias input (not each other).
///   Binary       mean has the bits of unary Sigmoid at a, sample those of bernoulli(key, mean)
///   Gaussian     sample = mean + z / sqrt(precision), z the draws of normal(key)
///   NonNegative  by inversion of the upper tail with v = (word + 1/2) 2^-32, stable however negative the
///                mean
///   Categorical  the first k of a group whose running sum of weights exceeds u times their total, u the draw
///                of the group's first
/// A NaN input gives a NaN mean, and no 1 of a binary unit.
struct UnitCall {
  Dtype dtype = Dtype::F32;
  Unit unit = Unit::Binary;
  Index rows = 0, units = 0, group = 1;
  const void* input = nullptr;       // [rows, units], the product x W
  const void* bias = nullptr;        // [units]
  const void* base = nullptr;        // [units] or null (0): a tempered base-rate bias
  double scale = 1.0;                // inverse temperature
  const void* row_scales = nullptr;  // [rows] or null: inverse temperatures of the rows
  const void* precision = nullptr;   // [units], Gaussian and NonNegative only
  std::uint64_t key = 0;
  std::uint64_t first_draw = 0;
  void* mean = nullptr;    // [rows, units] or null
  void* sample = nullptr;  // [rows, units] or null
};

/// One pass of stochastic gradient descent with momentum and L2 decay (learning rate already in the terms):
/// velocity = momentum * velocity + rate * gradient - decay * parameter;  parameter += velocity.
struct MomentumCall {
  Dtype dtype = Dtype::F32;
  Index n = 0;
  const void* gradient = nullptr;
  double rate = 0.0, momentum = 0.0, decay = 0.0;
  void* velocity = nullptr;
  void* parameter = nullptr;
};

/// How many windows of `size` places, `dilation` apart, fit at a stride into an extent that `padding` extends
/// on both sides; below 1 where none does.
constexpr Index window_count(Index extent, Index size, Index padding, Index stride, Index dilation = 1) {
  const Index room = extent + 2 * padding - dilation * (size - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

/// One pass of a step whose size follows the gradient's squares. A mean of gradients where there is one, else
/// the gradient itself, is divided by their root:
///   mean   <- mean_keep * mean + mean_share * gradient
///   square <- square_keep * square + square_share * gradient^2
///   parameter <- keep * parameter - rate * mean / (sqrt(scale * square) + epsilon)
struct AdaptiveCall {
  Dtype dtype = Dtype::F32;
  Index n = 0;
  const void* gradient = nullptr;
  double mean_keep = 0.0, mean_share = 1.0, square_keep = 0.0, square_share = 1.0;
  double rate = 0.0, scale = 1.0, epsilon = 0.0, keep = 1.0;
  void* mean = nullptr;  // null: the gradient
  void* square = nullptr;
  void* parameter = nullptr;
};

/// One pass over a gradient before its step:
///   y = clamp(scale * gradient, -limit, limit) + l2 * parameter + l1 * sign(parameter).
/// y may be the gradient; an infinite limit clamps nothing; a NaN stays.
struct RestrainCall {
  Dtype dtype = Dtype::F32;
  Index n = 0;
  const void* gradient = nullptr;
  double scale = 1.0, limit = 0.0, l1 = 0.0, l2 = 0.0;
  const void* parameter = nullptr;
  void* y = nullptr;
};

/// Which of the three arrays of a correlation is computed from the other two.
enum class ConvProduct { Output, Input, Filter };

/// Correlation of images with filters, x zero outside of its extents; s the stride, d the dilation:
///   Output  y[n,k,i,j] = sum_{c,u,v} w[k,c,u,v] x[n,c,s i + d u - padding_y,s j + d v - padding_x]
///   Input   its transpose, the gradient in x: what y[n,k,i,j] w[k,c,u,v] adds to that place of x
///   Filter  the gradient in w:  w[k,c,u,v] = sum_{n,i,j} y[n,k,i,j] x[n,c,s i + d u - padding_y,...]
/// x is [images, in_channels, height, width], w [out_channels, in_channels / groups, filter_height,
/// filter_width], y [images, out_channels, out_height(), out_width()]. Of `groups`, which divide both numbers
/// of channels, the g-th part of the outputs sees the g-th part of the inputs. All extents are positive. The
/// one that is computed must share no memory with the others.
struct ConvCall {
  Dtype dtype = Dtype::F32;
  ConvProduct product = ConvProduct::Output;
  Index images = 0, in_channels = 0, out_channels = 0, height = 0, width = 0, filter_height = 0,
        filter_width = 0;
  Index padding_y = 0, padding_x = 0;
  Index stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1, groups = 1;
  const void* x = nullptr;  // null for Input
  const void* w = nullptr;  // null for Filter
  const void* y = nullptr;  // null for Output
  void* result = nullptr;

  Index out_height() const { return window_count(height, filter_height, padding_y, stride_y, dilation_y); }
  Index out_width() const { return window_count(width, filter_width, padding_x, stride_x, dilation_x); }
  Index x_size() const { return images * in_channels * height * width; }
  Index w_size() const { return out_channels * (in_channels / groups) * filter_height * filter_width; }
  Index y_size() const { return images * out_channels * out_height() * out_width(); }
};

/// What is made of windows over planes (see WindowCall).
enum class WindowProduct { Sum, Spread, Max, Unfold, Fold };

/// Windows of window_height x window_width over each of `planes` planes; window (i, j) begins at
/// (i stride_y - padding_y, j stride_x - padding_x), and places outside of the plane hold nothing:
///   Sum     y[p,i,j] = the sum over the window;  x [planes, height, width], y [planes, out_height,
///   out_width] Spread  its transpose: y[p,a,b] = the sum of x[p,i,j] over the windows that hold (a, b) Max
///   y[p,i,j] = the largest number in the window, a NaN above all; index[p,i,j] = its place a width +
///           b in the plane, of equals the first in row-major order. Every window holds a place of the plane.
///   Unfold  y[p,u,v,i,j] = what lies at row u, column v of window (i, j), 0 where that is nothing
///   Fold    its transpose: y[p,a,b] = the sum of all x[p,u,v,i,j] that lie there
struct WindowCall {
  Dtype dtype = Dtype::F32;
  WindowProduct product = WindowProduct::Sum;
  Index planes = 0, height = 0, width = 0, window_height = 0, window_width = 0;
  Index padding_y = 0, padding_x = 0, stride_y = 1, stride_x = 1;
  const void* x = nullptr;
  void* y = nullptr;
  void* index = nullptr;  // Max alone, in the same dtype

  Index out_height() const { return window_count(height, window_height, padding_y, stride_y); }
  Index out_width() const { return window_count(width, window_width, padding_x, stride_x); }
  Index plane_size() const { return planes * height * width; }
  Index out_size() const { return planes * out_height() * out_width(); }
  Index unfolded_size() const { return out_size() * window_height * window_width; }
  Index x_size() const {
    return product == WindowProduct::Spread ? out_size()
           : product == WindowProduct::Fold ? unfolded_size()
                                            : plane_size();
  }
  Index y_size() const {
    return product == WindowProduct::Unfold                                 ? unfolded_size()
           : product == WindowProduct::Sum || product == WindowProduct::Max ? out_size()
                                                                            : plane_size();
  }
};

/// y = f(x + bias) of [outer, channels, inner] with one number of bias a channel; f is Relu, Tanh or Sigmoid.
/// y has the bits of binary Add and unary after it, and may be x.
struct BiasedCall {
  Dtype dtype = Dtype::F32;
  Unary function = Unary::Relu;
  Index outer = 0, channels = 0, inner = 0;
  const void* x = nullptr;
  const void* bias = nullptr;  // [channels]
  void* y = nullptr;
};

/// Its transpose: x = gradient * f'(a), read off y = f(a), and bias[c] = its sum over outer and inner, in an
/// order that depends on the extents alone; of inner = 1 with the bits of the ops. x may be the gradient.
struct BiasedGradientCall {
  Dtype dtype = Dtype::F32;
  Unary function = Unary::Relu;
  Index outer = 0, channels = 0, inner = 0;
  const void* y = nullptr;
  const void* gradient = nullptr;
  void* x = nullptr;
  void* bias = nullptr;  // [channels]
};

/// Numbers by their index along the middle axis: `index` [outer, count] holds whole numbers in [0, middle),
/// in the dtype of the numbers.
///   gather   y[o,r,i] = x[o,index[o,r],i];  x [outer, middle, inner], y [outer, count, inner]
///   scatter  its transpose: y[o,m,i] = the sum of x[o,r,i] over the r with index[o,r] = m, in their order
struct IndexCall {
  Dtype dtype = Dtype::F32;
  Index outer = 0, middle = 0, inner = 1, count = 1;
  const void* index = nullptr;
  const void* x = nullptr;
  void* y = nullptr;

  Index whole_size() const { return outer * middle * inner; }
  Index chosen_size() const { return outer * count * inner; }
};

/// The table of the kernels that every device does well, on raw device addresses, in no device's own memory
/// layout (solvers.h has those that a device may lack). Every function is pure: a missing kernel does not
/// compile. Kernels run one after another in the caller's order; `download` and `upload` wait for those
/// before them.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual void* allocate(std::size_t bytes) = 0;  // throws Error when out of memory
  virtual void release(void* address, std::size_t bytes) noexcept = 0;
  virtual void upload(void* device, const void* host, std::size_t bytes) = 0;
  virtual void download(void* host, const void* device, std::size_t bytes) = 0;
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;

  virtual void fill(Dtype dtype, void* y, double value, Index n) = 0;
  virtual void cast(Dtype from, const void* x, Dtype to, void* y, Index n) = 0;
  /// y = alpha * x + beta * y; beta = 0 ignores what y held. y may be x.
  virtual void axpby(Dtype dtype, double alpha, const void* x, double beta, void* y, Index n) = 0;
  /// f32 to a few units in the last place, f64 to 1e-14; infinities, NaN and denormals as in <cmath>. y may
  /// be x.
  virtual void unary(Unary op, Dtype dtype, const void* x, void* y, Index n) = 0;
  /// y[shape] = op(a, b); a and b are read with element strides (0 along a broadcast axis), one per axis of
  /// `shape`.
  /// Max and Min hand on a NaN of either side. y may be a or b where that has the strides of y.
  virtual void binary(Binary op, Dtype dtype, const void* a, const Shape& strides_a, const void* b,
                      const Shape& strides_b, void* y, const Shape& shape) = 0;
  /// y[shape] = x read with element strides: transposition, broadcasting, slicing.
  virtual void strided_copy(Dtype dtype, const void* x, const Shape& strides, void* y,
                            const Shape& shape) = 0;
  /// y[outer, inner] over the middle of x[outer, middle, inner], in an order that depends on the extents
  /// alone.
  /// Nothing gives Sum 0, Max -inf, LogSumExp -inf; a NaN anywhere gives NaN; LogSumExp does not overflow.
  virtual void reduce(Reduction op, Dtype dtype, const void* x, void* y, Index outer, Index middle,
                      Index inner) = 0;
  /// y[r, c] = 1 where x[r, c] is one of the `count` largest numbers of row r (of equals those with the
  /// lowest c), else 0. A NaN is smaller than any number.
  virtual void largest(Dtype dtype, const void* x, void* y, Index rows, Index columns, Index count) = 0;
  /// *flag (f32) becomes 1 when one of n numbers fails, else it stays as it is: nothing waits (flags.h).
  virtual void check(Check what, Dtype dtype, const void* x, Index n, void* flag) = 0;
  virtual void gather(const IndexCall& call) = 0;
  virtual void scatter(const IndexCall& call) = 0;
  virtual void gemm(const GemmCall& call) = 0;
  virtual void convolve(const ConvCall& call) = 0;
  virtual void windows(const WindowCall& call) = 0;
  virtual void biased(const BiasedCall& call) = 0;
  virtual void biased_gradient(const BiasedGradientCall& call) = 0;

  /// Draws first .. first + n - 1 of the stream `key`.
  virtual void uniform(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) = 0;
  virtual void normal(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) = 0;
  virtual void bernoulli(Dtype dtype, std::uint64_t key, std::uint64_t first, const void* p, void* y,
                         Index n) = 0;

  virtual void units(const UnitCall& call) = 0;
  virtual void momentum(const MomentumCall& call) = 0;
  virtual void adaptive(const AdaptiveCall& call) = 0;
  virtual void restrain(const RestrainCall& call) = 0;
  /// All of them, which share no memory but what they read: a device may do them at once.
  virtual void momentum_all(std::span<const MomentumCall> calls) {
    for (const MomentumCall& call : calls) momentum(call);
  }
  virtual void adaptive_all(std::span<const AdaptiveCall> calls) {
    for (const AdaptiveCall& call : calls) adaptive(call);
  }
  /// *sum (f64) += sum_i a[i] b[i], added up in f64 in an order that depends on n alone.
  virtual void dot(Dtype dtype, const void* a, const void* b, Index n, double* sum) = 0;
  /// Scales x[o, :, i] of x[outer, middle, inner] down to the Euclidean norm `limit` where its norm is more.
  virtual void limit_norms(Dtype dtype, void* x, Index outer, Index middle, Index inner, double limit) = 0;
  /// sums[j] = alpha * sum_n x[n, j] + beta * sums[j].
  virtual void column_sums(Dtype dtype, const void* x, Index rows, Index columns, double alpha, double beta,
                           void* sums) = 0;
  /// y[n] += sum_j softplus(to * (x[n,j] + bias[j])) - softplus(from * (x[n,j] + bias[j])); y is f64. The AIS
  /// weight update.
  virtual void softplus_difference(Dtype dtype, const void* x, const void* bias, Index rows, Index columns,
                                   double from, double to, double* y) = 0;
};

/// The kernels of a device. Throws Error when the device is not built in or not present.
Backend& backend(Device device);

/// Tensor allocations made on a device since the start: tests use it to show that hot loops allocate nothing.
std::uint64_t allocation_count(Device device);

}  // namespace basin
