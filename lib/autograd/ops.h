#pragma once

#include <array>

#include "autograd/value.h"

/// The only algebra surface of basin. Shapes broadcast as in NumPy: aligned at the last axis, 1 stretches.
/// Every op throws Error "[op] expected ... but received ..." when shapes, dtypes or devices do not fit.
namespace basin {

// Two arguments.
Value operator+(const Value& a, const Value& b);
Value operator-(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator/(const Value& a, const Value& b);
Value operator+(const Value& a, double b);
Value operator+(double a, const Value& b);
Value operator-(const Value& a, double b);
Value operator-(double a, const Value& b);
Value operator*(const Value& a, double b);
Value operator*(double a, const Value& b);
Value operator/(const Value& a, double b);
Value operator/(double a, const Value& b);
Value maximum(const Value& a, const Value& b);
Value minimum(const Value& a, const Value& b);
Value shrink(const Value& x, const Value& threshold);  // sign(x) max(0, |x| - threshold), threshold >= 0

// One argument.
Value operator-(const Value& x);
Value exp(const Value& x);
Value log(const Value& x);
Value log1p(const Value& x);
Value sqrt(const Value& x);
Value square(const Value& x);
Value reciprocal(const Value& x);
Value abs(const Value& x);
Value sign(const Value& x);      // derivative 0
Value step(const Value& x);      // 1 for x > 0, else 0; derivative 0
Value sigmoid(const Value& x);   // slope y (1 - y), in f32 off by 1e-7: by 0.1 % at x = 10, 0 from 17.4 on
Value tanh(const Value& x);      // slope 1 - y^2, in f32 off by 2e-7: by 0.1 % at x = 5, 0 from 9.1 on
Value softplus(const Value& x);  // log(1 + e^x), without overflow
Value relu(const Value& x);
Value log_ndtr(const Value& x);  // log Phi(x) of the standard normal
Value ndtr(const Value& x);      // Phi(x)
Value atan(const Value& x);
Value asinh(const Value& x);
Value elu(const Value& x);            // x for x > 0, else e^x - 1
Value inverse_mills(const Value& x);  // phi(x) / Phi(x), the derivative of log_ndtr; accurate in the far tail

// Products. matmul contracts [.., m, k] with [k, n]: all leading axes of `a` are rows, b is a matrix; or, one
// product each, B matrices [B, m, k] with [B, k, n].
struct MatmulOptions {
  bool transpose_a = false;  // a must then be a matrix, or B of them
  bool transpose_b = false;
};
Value matmul(const Value& a, const Value& b, MatmulOptions options = {});

// Correlations of images [N, C, H, W] with filters [K, C / groups, h, w]. Padding 0 is "valid", h - 1 "full";
// of `groups`, which divide C and K, the g-th part of the outputs sees the g-th part of the inputs.
struct Conv2dOptions {
  std::array<Index, 2> padding = {0, 0};   // zeros above and below, left and right
  std::array<Index, 2> stride = {1, 1};    // s, from output to output
  std::array<Index, 2> dilation = {1, 1};  // d, from number to number under a filter
  Index groups = 1;
};
/// y[n,k,i,j] = sum_{c,u,v} w[k,c,u,v] x[n,c,s i + d u - p,s j + d v - p], of shape [N, K, H', W'] with
/// H' = floor((H + 2p - d (h - 1) - 1) / s) + 1.
Value conv2d(const Value& x, const Value& w, Conv2dOptions options = {});
/// The transpose of conv2d, its gradient in x: [N, K, H', W'] and [K, C / groups, h, w] give [N, C, H, W]
/// with H = s (H' - 1) + d (h - 1) + 1 - 2p + output_padding, the last less than s: the rows that no window
/// of a strided conv2d reached.
Value conv_transpose2d(const Value& y, const Value& w, Conv2dOptions options = {},
                       std::array<Index, 2> output_padding = {0, 0});
/// The gradient of conv2d in w: w[k,c,u,v] = sum_{n,i,j} y[n,k,i,j] x[n,c,s i + d u - p,s j + d v - p].
/// Filters of 0 x 0 stand for the largest that fit.
Value conv2d_filter(const Value& x, const Value& y, Conv2dOptions options = {},
                    std::array<Index, 2> filter = {0, 0});

struct Conv1dOptions {
  Index padding = 0, stride = 1, dilation = 1, groups = 1;
};
/// conv2d of height 1: [N, C, L] and [K, C / groups, l] give [N, K, L'].
Value conv1d(const Value& x, const Value& w, Conv1dOptions options = {});

// Windows over images [N, C, H, W]: [N, C, H', W'] of them, H' = floor((H + 2p - h) / s) + 1. Padding is
// below the window's size, so that every window holds a pixel.
struct Window2d {
  std::array<Index, 2> size;             // h x w
  std::array<Index, 2> stride = {0, 0};  // s; 0: the size
  std::array<Index, 2> padding = {0, 0};
};
struct MaxPooled {
  Value y;
  Tensor indices;  // of the largest in its H x W image, row by row, [N, C, H', W']; they belong to unpool2d
};
/// The largest number of each window, padding never; of equals the first in row-major order is taken, and has
/// the whole gradient. A NaN is larger than any number.
MaxPooled max_pool2d(const Value& x, const Window2d& window);
/// Where indices say, zeros elsewhere: [N, C, H', W'] -> [N, C, H, W]; what meets in one place is added.
/// Throws Error for indices that are not whole numbers in 0 .. H W - 1 (one download).
Value unpool2d(const Value& y, const Tensor& indices, std::array<Index, 2> size);
/// Sums over windows; the mean is that times 1 / (h w), padding counted as zeros.
Value sum_pool2d(const Value& x, const Window2d& window);
Value average_pool2d(const Value& x, const Window2d& window);
/// (sum |x|^p)^(1/p), p >= 1; the gradient at 0 is 0. Throws Error for other p.
Value lp_pool2d(const Value& x, const Window2d& window, double p = 2.0);
/// 1/beta log sum exp(beta x) over the window's pixels, beta > 0: near its maximum where beta is large.
Value log_sum_exp_pool2d(const Value& x, const Window2d& window, double beta = 1.0);
/// The windows themselves, zeros for padding: [N, C, h w, H', W'].
Value windows2d(const Value& x, const Window2d& window);

// Reductions. Axes may be negative; no axes means all. keep = true leaves extents of 1.
struct ReduceOptions {
  bool keep = false;
};
Value sum(const Value& x, const std::vector<Index>& axes = {}, ReduceOptions options = {});
Value mean(const Value& x, const std::vector<Index>& axes = {}, ReduceOptions options = {});
Value max(const Value& x, Index axis, ReduceOptions options = {});  // ties share the gradient equally
Value log_sum_exp(const Value& x, Index axis, ReduceOptions options = {});
/// 1 at the `count` largest numbers along the last axis (of equals the first), else 0; derivative 0. Throws
/// Error unless 0 <= count <= extent of that axis.
Value largest(const Value& x, Index count);
/// The place of the largest number along the last axis, of equals the first: [.., K] -> [..], whole numbers
/// in x's dtype, without history.
Tensor argmax(const Value& x);
/// Sum over all axes but the first: [N, ...] -> [N], one number a sample.
Value sum_per_sample(const Value& x);

Value softmax(const Value& x);      // along the last axis
Value log_softmax(const Value& x);  // along the last axis

// Classes by index. An index is a whole number in 0 .. K - 1, held in the dtype and on the device of what it
// points into; each call looks at all of them (one download) and throws Error naming row and value of one
// that is not.
/// x[.., K] at one class of each row: [..].
Value take(const Value& x, const Tensor& indices);
/// Rows of a table by index: [V, ...] and [..] give [.., ...]; gradients of one row are added in the order of
/// the indices.
Value embedding(const Value& table, const Tensor& indices);
/// 1 at the index, else 0: [..] -> [.., count].
Value one_hot(const Tensor& indices, Index count);
/// -log_softmax(logits) at the index, in nats: [.., K] -> [..]. Its gradient is softmax(logits) - one_hot.
Value categorical_cross_entropy(const Value& logits, const Tensor& indices);

// Shape.
Value reshape(const Value& x, Shape shape);  // one extent may be -1
Value flatten(const Value& x);               // [N, ...] -> [N, features]
Value transpose(const Value& x, const std::vector<Index>& order);
Value broadcast_to(const Value& x, const Shape& shape);
Value sum_to(const Value& x,
             const Shape& shape);  // sums over the axes that broadcast_to would stretch: its transpose
Value slice(const Value& x, Index axis, Index begin, Index end);
Value concat(const std::vector<Value>& parts, Index axis);
/// Parts of one shape side by side along a new axis, which counts in the result's shape.
Value stack(const std::vector<Value>& parts, Index axis);
/// The parts along an axis, without it: undoes stack. Derivatives of any order cost as much as the parts
/// together have numbers, however many they are (slices cost that for each part).
std::vector<Value> unstack(const Value& x, Index axis);

// Constants like x.
Value zeros_like(const Value& x);
Value ones_like(const Value& x);

}  // namespace basin
