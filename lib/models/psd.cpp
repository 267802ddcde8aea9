#include "models/psd.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/squared_error.h"
#include "tensor/error.h"

namespace basin {
namespace {

Psd build(const PsdOptions& options, bool predicted) {
  if (!(options.alpha > 0.0 && std::isfinite(options.alpha))) {
    throw Error(fmt::format("[psd] expected alpha > 0, received {}; without a prediction it is sparse coding",
                            options.alpha));
  }
  SparseCoding code = sparse_coding(options.code);
  auto encoder = std::make_shared<const Encoder>(
      code.y.size(), code.z.size(), options.code.key.fold("y.z"),
      EncoderOptions{.kind = options.encoder, .placement = options.code.placement});
  encoder->weight().tensor().copy_from(transpose(code.decoder->weight().value().detached(), {1, 0}).tensor());
  Psd model{.graph = code.graph,
            .inference = code.graph,
            .y = code.y,
            .z = code.z,
            .decoder = code.decoder,
            .encoder = encoder};
  const auto prediction = std::make_shared<const SquaredError>(model.z, encoder, model.y,
                                                               SquaredErrorOptions{.weight = options.alpha});
  model.graph.add(prediction);
  if (predicted) {
    model.inference.add(prediction);
  }
  return model;
}

}  // namespace

Psd psd(const PsdOptions& options) { return build(options, true); }

Psd psd_warm_start(const PsdOptions& options) { return build(options, false); }

}  // namespace basin
