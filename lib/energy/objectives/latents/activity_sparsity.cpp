#include "energy/objectives/latents/activity_sparsity.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kLeast = 1e-6;

}  // namespace

ActivitySparsity::ActivitySparsity(Variable x, std::shared_ptr<const Module> encoder,
                                   ActivitySparsityOptions options)
    : x_(std::move(x)), encoder_(std::move(encoder)), options_(options) {
  if (encoder_ == nullptr || !(options_.target > 0.0 && options_.target < 1.0) ||
      !(options_.cost >= 0.0 && std::isfinite(options_.cost))) {
    throw Error(
        fmt::format("[activity_sparsity] expected an encoder, a target in (0, 1) and a cost >= 0, "
                    "received {}, {} and {}",
                    encoder_ == nullptr ? "none" : "one", options_.target, options_.cost));
  }
}

Evaluation ActivitySparsity::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/,
                                      Key /*key*/, EvaluateOptions options) const {
  if (options.reduce) {
    throw Error(
        "[activity_sparsity] expected whole batches, whose means it penalises, received a slice of one; "
        "train in one process");
  }
  const Value codes = flatten(encoder_->forward(batch[x_], batch.context()));
  const auto above = [](const Value& p) { return kLeast + relu(p - kLeast); };
  const Value on = above(mean(codes, {0})), off = above(1.0 - mean(codes, {0}));
  const double rho = options_.target;
  const double entropy = rho * std::log(rho) + (1.0 - rho) * std::log(1.0 - rho);
  const Value loss = options_.cost * sum(entropy - rho * log(on) - (1.0 - rho) * log(off));
  return differentiate(loss, graph, batch.batch(), options);
}

}  // namespace basin
