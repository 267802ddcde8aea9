#include "models/label_rbm.h"

#include <fmt/format.h>

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "tensor/error.h"

namespace basin {
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
  return model;
}

}  // namespace basin
