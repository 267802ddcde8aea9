#include "models/sparse_coding.h"

#include <fmt/format.h>

#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/dictionary.h"
#include "tensor/error.h"

namespace basin {

SparseCoding sparse_coding(const SparseCodingOptions& options) {
  if (options.sample_shape.empty() || options.atoms < 1) {
    throw Error(fmt::format(
        "[sparse_coding] expected the shape of a sample and at least one atom, received {} and {}",
        to_string(options.sample_shape), options.atoms));
  }
  SparseCoding model;
  model.y = model.graph.real("y", options.sample_shape);
  model.z =
      model.graph.variable("z", options.non_negative ? Domain::NonNegative : Domain::Real, {options.atoms});
  const LinearOptions linear{
      .bias = false, .initializer = {.kind = Initializer::Kind::Normal}, .placement = options.placement};
  model.decoder =
      std::make_shared<const Linear>(options.atoms, model.y.size(), options.key.fold("z.y.weight"), linear);
  scale_to_unit_norm(model.decoder->weight().tensor());
  model.graph.add(SquaredError(model.y, model.decoder, model.z)).add(L1(model.z, options.lambda));
  return model;
}

}  // namespace basin
