#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace basin {

/// Elementwise functions of one argument. Sign(0) = 0; Step(x) = 1 for x > 0, else 0; LogNdtr(x) = log Phi(x)
/// of the standard normal, safe in the far tail.
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
  LogNdtr
};

/// Elementwise functions of two arguments. Comparisons give 0 or 1. Shrink(x, t) = sign(x) max(0, |x| - t)
/// for t >= 0.
enum class Binary { Add, Sub, Mul, Div, Max, Min, Pow, Less, LessEqual, Equal, Shrink };

/// Reductions over the middle axis of [outer, middle, inner].
enum class Reduction { Sum, Max, LogSumExp };

/// What a unit of a bipartite energy is, given its total input a = x W + bias (see UnitCall).
enum class Unit {
  Binary,       // mean sigma(a)
  Gaussian,     // mean a / precision, variance 1 / precision
  NonNegative,  // the same normal, truncated to [0, inf)
  Categorical   // softmax over groups of `group` neighbours, one-hot draws
};

/// C = alpha * op(A) op(B) + beta * C, row-major, op(A) is [m, k], op(B) is [k, n]; beta = 0 ignores what C
/// held.
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
};

/// One fused pass over the units of a layer: a = scale * (input + bias) + base, then mean and draw.
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
  const void* input = nullptr;      // [rows, units], the product x W
  const void* bias = nullptr;       // [units]
  const void* base = nullptr;       // [units] or null (0): a tempered base-rate bias
  double scale = 1.0;               // inverse temperature
  const void* precision = nullptr;  // [units], Gaussian and NonNegative only
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

/// Which of the three arrays of a correlation is computed from the other two.
enum class ConvProduct { Output, Input, Filter };

/// Correlation of images with filters, stride 1, x zero outside of its extents:
///   Output  y[n,k,i,j] = sum_{c,u,v} w[k,c,u,v] x[n,c,i+u-padding_y,j+v-padding_x]
///   Input   its transpose, the gradient in x:  x[n,c,a,b] = sum_{k,u,v} w[k,c,u,v]
///           y[n,k,a-u+padding_y,b-v+padding_x]
///   Filter  the gradient in w:  w[k,c,u,v] = sum_{n,i,j} y[n,k,i,j] x[n,c,i+u-padding_y,j+v-padding_x]
/// x is [images, in_channels, height, width], w [out_channels, in_channels, filter_height, filter_width], y
/// [images, out_channels, out_height(), out_width()]. All extents are positive. The one that is computed must
/// share no memory with the others.
struct ConvCall {
  Dtype dtype = Dtype::F32;
  ConvProduct product = ConvProduct::Output;
  Index images = 0, in_channels = 0, out_channels = 0, height = 0, width = 0, filter_height = 0,
        filter_width = 0;
  Index padding_y = 0, padding_x = 0;
  const void* x = nullptr;  // null for Input
  const void* w = nullptr;  // null for Filter
  const void* y = nullptr;  // null for Output
  void* result = nullptr;

  Index out_height() const { return height + 2 * padding_y - filter_height + 1; }
  Index out_width() const { return width + 2 * padding_x - filter_width + 1; }
  Index x_size() const { return images * in_channels * height * width; }
  Index w_size() const { return out_channels * in_channels * filter_height * filter_width; }
  Index y_size() const { return images * out_channels * out_height() * out_width(); }
};

/// One pass of block coordinate descent on 1/2 tr(D' A D) - tr(D' B) over rows of norm 1, one after another,
/// each with those before it as they are now:  d_j <- u / |u|,  u = d_j + (b_j - a_j D) / a_jj.  A row with
/// a_jj <= tiny or u = 0 stays as it is.
/// Reference: Mairal, Bach, Ponce, Sapiro 2010, "Online learning for matrix factorization and sparse coding",
/// algorithm 2.
struct DictionaryCall {
  Dtype dtype = Dtype::F32;
  Index atoms = 0, features = 0;
  const void* gram = nullptr;   // A [atoms, atoms], the codes' second moments
  const void* cross = nullptr;  // B [atoms, features], those of codes and data
  double tiny = 0.0;
  void* residual = nullptr;    // work [atoms, features]
  void* dictionary = nullptr;  // D [atoms, features]
};

/// What a ConvLassoCall does.
enum class ConvLassoStage {
  Synthesis,  // image = D codes
  Step,       // one move of FISTA: into `previous` and `previous_image`, which the caller then exchanges with
              // codes and image
  Measure     // sums alone
};

/// Sums over one image that a stage gives. Step: uphill, move and length. Measure: the others.
struct ConvLassoSums {
  double uphill = 0.0;     // (u - z+).(z+ - z)
  double move = 0.0;       // |z+ - z|^2
  double length = 0.0;     // |z|^2
  double residual = 0.0;   // |y - D z|^2
  double product = 0.0;    // z'D'(y - D z)
  double deviation = 0.0;  // |z - g|^2
  double along = 0.0;      // z'(z - g)
  double norm = 0.0;       // sum |z|
  double largest = 0.0;    // max -f' where codes are not negative, else max |f'|
};

/// Inference of convolutional sparse codes z of images y, with the decoder (D z)[c,i,j] = sum_{k,u,v}
/// w[k,c,u,v] z[k,i-u+p,j-v+p]:
///   E = f(z) + lambda sum |z|,   f(z) = weight / 2 |y - D z|^2 + attraction / 2 |z - g|^2.
/// A step moves the images `which` (count of them), image m with its own momentum[m]:
///   u = z + momentum (z - previous),  z+ = shrink(u - step f'(u), step lambda);  D u comes from D z and D
///     previous by linearity.
///
/// y, image and previous_image are [images, channels, image_height(), image_width()], at least 16 wide.
/// codes, previous and target (g, may be null) are in rows, [images, height + 2 border_y(), padded_filters(),
/// pitch()], code (k, a, b) at row a + border_y() and column b + border_x(), all else zero. `occupancy` says
/// where codes are not zero: occupancy_floats() numbers that Step writes and nobody else reads. which,
/// momentum and sums are host memory; the call waits for the sums.
struct ConvLassoCall {
  Dtype dtype = Dtype::F32;
  ConvLassoStage stage = ConvLassoStage::Step;
  Index images = 0, channels = 0, filters = 0, height = 0, width = 0, filter_height = 0, filter_width = 0;
  Index padding_y = 0, padding_x = 0;  // 0 <= padding < filter extent
  double weight = 1.0, attraction = 0.0, lambda = 0.0, step = 0.0;
  bool non_negative = false;
  const void* w = nullptr;  // [filters, channels, filter_height, filter_width]
  const void* y = nullptr;
  const void* target = nullptr;
  void* codes = nullptr;
  void* previous = nullptr;
  void* image = nullptr;
  void* previous_image = nullptr;
  void* occupancy = nullptr;
  Index count = 0;
  const Index* which = nullptr;
  const double* momentum = nullptr;
  ConvLassoSums* sums = nullptr;  // [count]

  Index border_y() const { return filter_height - 1 - padding_y; }
  Index border_x() const { return filter_width - 1 - padding_x; }
  Index image_height() const { return height + filter_height - 1 - 2 * padding_y; }
  Index image_width() const { return width + filter_width - 1 - 2 * padding_x; }
  Index padded_filters() const { return (filters + 3) / 4 * 4; }
  Index padded_width() const { return (width + 15) / 16 * 16; }
  Index pitch() const { return (padded_width() + 2 * border_x() + 15) / 16 * 16; }
  Index row_size() const { return padded_filters() * pitch(); }
  Index code_size() const { return images * (height + 2 * border_y()) * row_size(); }
  Index w_size() const { return filters * channels * filter_height * filter_width; }
  Index image_size() const { return images * channels * image_height() * image_width(); }
  Index occupancy_floats() const { return images * height * (2 + padded_filters() * padded_width() / 32); }
};

/// For every row n:  z_n = argmin 1/2 z'H z - q_n'z + constant_n + lambda |z|_1, over z >= 0 where
/// non_negative, from the z_n given, until its relative duality gap is within the tolerance (a negative one:
/// all max_steps). lambda > 0. A row's work and result do not depend on other rows, except for the rounding
/// of the products of lasso_gradient.
struct LassoCall {
  Dtype dtype = Dtype::F32;
  Index rows = 0, codes = 0;
  const void* gram = nullptr;      // H [codes, codes], symmetric and positive semi-definite
  const void* linear = nullptr;    // q [rows, codes]
  const void* constant = nullptr;  // [rows], so that the smooth part is 1/2 |A z - t|^2
  double lambda = 0.0;
  bool non_negative = false;
  double tolerance = 0.0;
  Index max_steps = 0;
  void* z = nullptr;        // [rows, codes], in and out
  double* gap = nullptr;    // [rows], the last relative duality gap; NaN where numbers are not finite
  double* steps = nullptr;  // [rows]: coordinates moved, or steps of the gradient
  // lasso_gradient alone:
  double step = 0.0;
  bool momentum = true, restart = true;  // FISTA; without momentum ISTA
  Index check_every = 10;                // steps between two looks at the gap
};

/// The table of kernels of one device, on raw device addresses. Every function is pure: a missing kernel does
/// not compile. Kernels run one after another in the caller's order; `download` and `upload` wait for those
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
  virtual void gemm(const GemmCall& call) = 0;
  virtual void convolve(const ConvCall& call) = 0;
  virtual void conv_lasso(const ConvLassoCall& call) = 0;

  /// Draws first .. first + n - 1 of the stream `key`.
  virtual void uniform(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) = 0;
  virtual void normal(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) = 0;
  virtual void bernoulli(Dtype dtype, std::uint64_t key, std::uint64_t first, const void* p, void* y,
                         Index n) = 0;

  virtual void units(const UnitCall& call) = 0;
  virtual void momentum(const MomentumCall& call) = 0;
  virtual void dictionary(const DictionaryCall& call) = 0;
  /// By coordinate descent (Li and Osher 2009), the best coordinates first. A coordinate with H_ii <= 1e-12
  /// max H_jj gets code 0.
  virtual void lasso_descent(const LassoCall& call) = 0;
  /// By ISTA or FISTA with restart (Beck and Teboulle 2009; O'Donoghue and Candes 2015).
  virtual void lasso_gradient(const LassoCall& call) = 0;
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
