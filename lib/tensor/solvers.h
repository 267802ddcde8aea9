#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/recurrence.h"
#include "tensor/shape.h"

namespace basin {

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
  void* dictionary = nullptr;  // D [atoms, features]
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

/// Convolutional sparse codes z of images y, with the decoder (D z)[c,i,j] = sum_{k,u,v} w[k,c,u,v]
/// z[k,i-u+p,j-v+p]:
///   E = f(z) + lambda sum |z|,   f(z) = weight / 2 |y - D z|^2 + attraction / 2 |z - g|^2.
/// Images are [images, channels, image_height(), image_width()], at least 16 wide; codes (z, g) are [images,
/// filters, height, width].
struct ConvLassoProblem {
  Dtype dtype = Dtype::F32;
  Index images = 0, channels = 0, filters = 0, height = 0, width = 0, filter_height = 0, filter_width = 0;
  Index padding_y = 0, padding_x = 0;  // 0 <= padding < filter extent
  double weight = 1.0, attraction = 0.0, lambda = 0.0, step = 0.0;
  bool non_negative = false;
  bool accelerate = true, restart = true;  // FISTA with restart; without accelerate ISTA
  const void* w = nullptr;                 // [filters, channels, filter_height, filter_width]
  const void* y = nullptr;
  const void* target = nullptr;  // g; null: attraction is 0
  const void* start = nullptr;   // z to begin with; null: zeros

  Index image_height() const { return height + filter_height - 1 - 2 * padding_y; }
  Index image_width() const { return width + filter_width - 1 - 2 * padding_x; }
  Index w_size() const { return filters * channels * filter_height * filter_width; }
  Index image_size() const { return images * channels * image_height() * image_width(); }
  Index code_size() const { return images * filters * height * width; }
};

/// Sums over one image: of its last move, and of codes as they are.
struct ConvLassoSums {
  double uphill = 0.0;     // (u - z+).(z+ - z)
  double move = 0.0;       // |z+ - z|^2
  double length = 0.0;     // |z|^2; of steps() the largest so far
  double residual = 0.0;   // |y - D z|^2
  double product = 0.0;    // z'D'(y - D z)
  double deviation = 0.0;  // |z - g|^2
  double along = 0.0;      // z'(z - g)
  double norm = 0.0;       // sum |z|
  double largest = 0.0;    // max -f' where codes are not negative, else max |f'|
};

/// The moves of one ConvLassoProblem: codes, momenta and whatever else it keeps lie in its room, in a layout
/// of its own. `which` are the numbers of the images concerned; one that a move left out is finished, and may
/// be neither moved, measured nor read any more. Lists are host memory, one entry an image of `which`.
class ConvLassoSolver {
 public:
  virtual ~ConvLassoSolver() = default;
  /// u = z + momentum (z - previous),  z+ = shrink(u - step f'(u), step lambda), the momentum that of Beck
  /// and Teboulle 2009, eq. 4.2, anew after a move with uphill > 0 where the problem says restart.
  virtual void move(std::span<const Index> which) = 0;
  /// What moves came to: move and length. Waits for them.
  virtual void steps(std::span<const Index> which, std::span<ConvLassoSums> sums) = 0;
  /// The other sums but uphill, of the codes as they are. Waits for them.
  virtual void measure(std::span<const Index> which, std::span<ConvLassoSums> sums) = 0;
  /// The codes of one image into z [filters, height, width].
  virtual void read(Index image, void* z) = 0;
};

/// The kernels that a device may lack: whole solvers of one kind of energy, whole passes over the steps of a
/// recurrent layer. A rule of rewriting that needs them declines where they are missing, and what is derived
/// serves. Addresses, order and waiting as in Backend.
class Solvers {
 public:
  virtual ~Solvers() = default;

  virtual void dictionary(const DictionaryCall& call) = 0;
  /// Whether lasso_descent serves; where it does not, a rule declines what needs it.
  virtual bool has_lasso_descent() const { return true; }
  /// By coordinate descent (Li and Osher 2009), the best coordinates first. A coordinate with H_ii <= 1e-12
  /// max H_jj gets code 0.
  virtual void lasso_descent(const LassoCall& call) = 0;
  /// By ISTA or FISTA with restart (Beck and Teboulle 2009; O'Donoghue and Candes 2015).
  virtual void lasso_gradient(const LassoCall& call) = 0;

  /// Bytes of device memory that a solver of the problem wants as its room.
  virtual std::size_t conv_lasso_room(const ConvLassoProblem& problem) const = 0;
  /// A solver at the problem's start. Its w, y and room must outlive it; target and start are read once.
  virtual std::unique_ptr<ConvLassoSolver> conv_lasso(const ConvLassoProblem& problem, void* room) = 0;

  virtual void recurrence_forward(const RecurrenceForward& call) = 0;
  virtual void recurrence_backward(const RecurrenceBackward& call) = 0;
};

/// The solvers of a device, or nullptr where it has none.
Solvers* solvers(Device device);

}  // namespace basin
