#include "models/rbm.h"

#include <fmt/format.h>

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/quadratic.h"
#include "tensor/error.h"

namespace basin {
namespace {

Domain domain_of(UnitKind kind) {
  switch (kind) {
    case UnitKind::Binary:
      return Domain::Binary;
    case UnitKind::Gaussian:
      return Domain::Real;
    case UnitKind::Relu:
      return Domain::NonNegative;
    case UnitKind::Softmax:
      return Domain::Categorical;
  }
  return Domain::Binary;
}

bool needs_quadratic(UnitKind kind) { return kind == UnitKind::Gaussian || kind == UnitKind::Relu; }

Shape hidden_shape(const RbmOptions& options) {
  if (options.hidden_units < 1) {
    throw Error(fmt::format("[rbm] expected hidden_units >= 1, received {}; set the number of hidden units",
                            options.hidden_units));
  }
  if (options.hidden != UnitKind::Softmax) {
    return {options.hidden_units};
  }
  if (options.hidden_group < 2 || options.hidden_units % options.hidden_group != 0) {
    throw Error(
        fmt::format("[rbm] expected a hidden_group >= 2 that divides the {} hidden units, received {}",
                    options.hidden_units, options.hidden_group));
  }
  return {options.hidden_units / options.hidden_group, options.hidden_group};
}

}  // namespace

UnitKind parse_unit_kind(std::string_view name) {
  if (name == "binary") return UnitKind::Binary;
  if (name == "gaussian") return UnitKind::Gaussian;
  if (name == "relu") return UnitKind::Relu;
  if (name == "softmax") return UnitKind::Softmax;
  throw Error(fmt::format("[rbm] expected units binary, gaussian, relu or softmax, received {}", name));
}

Rbm rbm(const RbmOptions& options) {
  if (options.visible_shape.empty()) {
    throw Error(
        "[rbm] expected the shape of one visible sample, received none; set visible_shape, as in {784}");
  }
  Rbm model;
  model.v = model.graph.variable("v", domain_of(options.visible), options.visible_shape);
  model.h = model.graph.variable("h", domain_of(options.hidden), hidden_shape(options));
  model.graph.add(Bias(model.v)).add(Bias(model.h));
  model.graph.add(
      Bilinear(model.v, model.h, options.key.fold("v.h.weight"), {.scale = options.weight_scale}));
  if (needs_quadratic(options.visible)) {
    model.graph.add(Quadratic(model.v));
  }
  if (needs_quadratic(options.hidden)) {
    model.graph.add(Quadratic(model.h, {.precision = Precision::Fixed}));
  }
  return model;
}

}  // namespace basin
