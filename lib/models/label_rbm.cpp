#include "models/label_rbm.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "modules/function.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::shared_ptr<const Module> scores_of(const LabelRbm& model) {
  const auto parameter = [&](const char* name) { return model.graph.parameter(name); };
  const Parameter c = parameter("h.bias"), d = parameter("y.bias"), w = parameter("v.h.weight"),
                  u = parameter("y.h.weight");
  const auto scores = [=](const Value& v, const Context& /*context*/) {
    const Value input = matmul(flatten(v), w.value()) + reshape(c.value(), {1, c.tensor().size()});
    const Index samples = input.dim(0), hidden = input.dim(1), classes = d.tensor().size();
    const Value each = reshape(input, {samples, 1, hidden}) + reshape(u.value(), {1, classes, hidden});
    return sum(softplus(each), {2}) + reshape(d.value(), {1, classes});
  };
  return std::make_shared<const Function>(scores, std::vector<Parameter>{c, d, w, u});
}

}  // namespace

LabelRbm label_rbm(const LabelRbmOptions& options) {
  if (options.visible_shape.empty() || options.classes < 2 || options.hidden_units < 1) {
    throw Error(fmt::format(
        "[label_rbm] expected the shape of one sample, at least 2 classes and 1 hidden unit, received {}, {} "
        "and {}",
        to_string(options.visible_shape), options.classes, options.hidden_units));
  }
  LabelRbm model;
  model.v = model.graph.binary("v", options.visible_shape);
  model.y = model.graph.categorical("y", {options.classes});
  model.h = model.graph.binary("h", {options.hidden_units});
  const BilinearOptions weights{.scale = options.weight_scale};
  model.graph.add(Bias(model.v)).add(Bias(model.y)).add(Bias(model.h));
  model.graph.add(Bilinear(model.v, model.h, options.key.fold("v.h.weight"), weights));
  model.graph.add(Bilinear(model.y, model.h, options.key.fold("y.h.weight"), weights));
  model.scores = scores_of(model);
  return model;
}

}  // namespace basin
