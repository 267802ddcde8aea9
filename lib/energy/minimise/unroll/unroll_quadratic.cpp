#include "energy/minimise/unroll/unroll_quadratic.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// The largest absolute number.
double size_of(const Value& x) { return max(reshape(abs(x), {x.tensor().size()}), 0).item(); }

}  // namespace

UnrollQuadratic read_quadratic(const Split& split, const FactorGraph& graph, const Variable& from) {
  const Variable& z = split.variable();
  const Index n = z.size(), m = from.size();
  const Placement placement = graph.placement();
  const auto slope = [&](const Value& y_rows, const Value& z_rows) {
    Value gradient;
    split.smooth_energy(State().set(from, as_values(from, y_rows)).set(z, as_values(z, z_rows)), &gradient);
    return reshape(gradient.detached(), {z_rows.dim(0), n});
  };
  const auto zeros = [&](Index rows, Index columns) {
    return Value(Tensor::zeros({rows, columns}, placement));
  };

  const Value at_zero = slope(zeros(1, m), zeros(1, n));
  const Value hessian = slope(zeros(n, m), identity(n, placement)) - at_zero;
  const Value projection = at_zero - slope(identity(m, placement), zeros(m, n));

  const Value y = normal(Key(1).fold("y"), {4, m}, placement),
              point = normal(Key(1).fold("z"), {4, n}, placement);
  const Value expected = matmul(point, hessian) - matmul(y, projection) + at_zero, found = slope(y, point);
  const double tolerance = placement.dtype == Dtype::F32 ? 1e-3 : 1e-9;
  if (!(size_of(found - expected) <= tolerance * (1e-12 + size_of(found)))) {
    throw Error(
        fmt::format("[unroll] expected an energy that is quadratic in {} and whose gradient is affine in {}, "
                    "received another one; unroll it "
                    "with Sharing::Graph",
                    z.name, from.name));
  }

  UnrollQuadratic form;
  form.hessian = hessian.tensor();
  form.projection = projection.tensor();
  form.offset = reshape(-at_zero, {n}).tensor();
  form.has_offset = size_of(at_zero) > 0.0;
  form.is_wall = z.domain == Domain::NonNegative;
  if (split.rough() != nullptr) {
    const std::optional<double> weight = split.l1_weight();
    if (!weight) {
      throw Error(fmt::format(
          "[unroll] expected L1 as the factor of {} that is not smooth, received {}; unroll it with "
          "Sharing::Graph",
          z.name, split.rough()->name()));
    }
    form.weight = *weight;
  }
  return form;
}

Tensor dictionary_of(const UnrollQuadratic& form) {
  const Value b = form.projection, h = form.hessian;
  const Value gram = matmul(b, b, {.transpose_a = true});
  const double size = sum(square(h)).item();
  if (!(size > 0.0))
    throw Error(
        "[unroll] expected a dictionary that is not all zeros for coupled weights; check the parameters");
  const double w = sum(gram * h).item() / size;
  const double error = sum(square(gram - h * w)).item() / sum(square(gram)).item();
  if (!(error < 1e-6)) {
    throw Error(
        "[unroll] expected a single squared error of a linear decoder for coupled weights, received other "
        "terms of z; leave out "
        "coupled");
  }
  return (transpose(b, {1, 0}) * (1.0 / w)).tensor();
}

}  // namespace basin
