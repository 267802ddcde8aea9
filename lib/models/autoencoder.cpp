#include "models/autoencoder.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/cross_entropy.h"
#include "energy/factors/network.h"
#include "energy/factors/penalties/contractive.h"
#include "energy/factors/squared_error.h"
#include "energy/objectives/mean_energy.h"
#include "energy/objectives/sum_objective.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/linear_transpose.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// x -> decoder(encoder(x)), the parameters under the names of the two.
class EncodeDecode final : public Module {
 public:
  EncodeDecode(std::shared_ptr<const Module> encoder, std::shared_ptr<const Module> decoder,
               bool sigmoid_output)
      : encoder_(std::move(encoder)), decoder_(std::move(decoder)), sigmoid_output_(sigmoid_output) {}

  Value forward(const Value& x, const Context& context) const override {
    const Value code = encoder_->forward(x, context.fold("encoder"));
    const Value output = decoder_->forward(code, context.fold("decoder"));
    return sigmoid_output_ ? sigmoid(output) : output;
  }
  std::vector<Parameter> parameters() const override {
    std::vector<Parameter> all;
    for (const Parameter& parameter : encoder_->parameters()) all.push_back(parameter.prefixed("encoder"));
    for (const Parameter& parameter : decoder_->parameters()) all.push_back(parameter.prefixed("decoder"));
    return all;
  }

 private:
  std::shared_ptr<const Module> encoder_, decoder_;
  bool sigmoid_output_;
};

Activation::Kind activation_of(CodeUnit unit) {
  switch (unit) {
    case CodeUnit::Sigmoid:
      return Activation::Kind::Sigmoid;
    case CodeUnit::Tanh:
      return Activation::Kind::Tanh;
    case CodeUnit::Softplus:
      return Activation::Kind::Softplus;
    case CodeUnit::Relu:
    case CodeUnit::Linear:
      break;
  }
  return Activation::Kind::Relu;
}

/// c(a) of saturating auto-encoders: how far a unit is from where its slope is 0, or the slope itself.
Function::Forward unsaturated(CodeUnit unit) {
  switch (unit) {
    case CodeUnit::Sigmoid:
      return [](const Value& a, const Context&) { return sigmoid(a) * sigmoid(-a); };
    case CodeUnit::Tanh:
      return [](const Value& a, const Context&) { return 1.0 - square(tanh(a)); };
    case CodeUnit::Relu:
      return [](const Value& a, const Context&) { return relu(a); };
    case CodeUnit::Softplus:
      return [](const Value& a, const Context&) { return sigmoid(a); };
    case CodeUnit::Linear:
      break;
  }
  throw Error(
      "[autoencoder] expected units that saturate for a saturating penalty, received linear ones; take "
      "relu, sigmoid or tanh");
}

void check(const AutoencoderOptions& options) {
  if (options.sample_shape.empty() || options.codes < 1) {
    throw Error(fmt::format(
        "[autoencoder] expected the shape of one sample and at least one code, received {} and {}",
        to_string(options.sample_shape), options.codes));
  }
  const bool is_probability =
      options.corruption == Corruption::Masking || options.corruption == Corruption::SaltAndPepper;
  if (!std::isfinite(options.amount) || options.amount < 0.0 || (is_probability && options.amount > 1.0)) {
    throw Error(
        fmt::format("[autoencoder] expected an amount of corruption >= 0, and <= 1 where it is a "
                    "probability, received {}",
                    options.amount));
  }
  if (!(options.saturating >= 0.0 && options.sparse >= 0.0 && options.activity.cost >= 0.0)) {
    throw Error(fmt::format("[autoencoder] expected penalties >= 0, received {}, {} and {}",
                            options.saturating, options.sparse, options.activity.cost));
  }
  if (options.activity.cost > 0.0 && options.units != CodeUnit::Sigmoid)
    throw Error(
        "[autoencoder] expected sigmoid units, in (0, 1), for a target of their activity, received "
        "others; take `sparse`");
}

}  // namespace

Corruption parse_corruption(std::string_view name) {
  if (name == "none") return Corruption::None;
  if (name == "gaussian") return Corruption::Gaussian;
  if (name == "masking") return Corruption::Masking;
  if (name == "salt_and_pepper") return Corruption::SaltAndPepper;
  throw Error(fmt::format(
      "[autoencoder] expected corruption none, gaussian, masking or salt_and_pepper, received {}", name));
}

CodeUnit parse_code_unit(std::string_view name) {
  if (name == "sigmoid") return CodeUnit::Sigmoid;
  if (name == "tanh") return CodeUnit::Tanh;
  if (name == "relu") return CodeUnit::Relu;
  if (name == "softplus") return CodeUnit::Softplus;
  if (name == "linear") return CodeUnit::Linear;
  throw Error(
      fmt::format("[autoencoder] expected units sigmoid, tanh, relu, softplus or linear, received {}", name));
}

Reconstruction parse_reconstruction(std::string_view name) {
  if (name == "linear") return Reconstruction::Linear;
  if (name == "sigmoid") return Reconstruction::Sigmoid;
  if (name == "cross_entropy") return Reconstruction::Logits;
  throw Error(fmt::format(
      "[autoencoder] expected reconstruction linear, sigmoid or cross_entropy, received {}", name));
}

Tensor corrupted(const Tensor& x, Corruption kind, double amount, Key key) {
  const auto coins = [&](std::string_view name, double p) {
    return Value(bernoulli(key.fold(name), Tensor::full(x.shape(), p, x.placement())));
  };
  switch (kind) {
    case Corruption::Gaussian:
      return (Value(x) + amount * Value(normal(key, x.shape(), x.placement()))).tensor();
    case Corruption::Masking:
      return (Value(x) * coins("keep", 1.0 - amount)).tensor();
    case Corruption::SaltAndPepper: {
      const Value keep = coins("keep", 1.0 - amount);
      return (Value(x) * keep + (1.0 - keep) * coins("salt", 0.5)).tensor();
    }
    case Corruption::None:
      break;
  }
  return x;
}

Autoencoder autoencoder(const AutoencoderOptions& options) {
  check(options);
  Autoencoder model;
  model.reconstruction = options.reconstruction;
  model.corruption = options.corruption;
  model.amount = options.amount;
  model.activity = options.activity;
  model.x = model.graph.real("x", options.sample_shape);
  model.seen =
      options.corruption == Corruption::None ? model.x : model.graph.real("seen", options.sample_shape);

  const Index inputs = model.x.size();
  const Linear first(inputs, options.codes, options.key.fold("encoder"));
  auto encoder = std::make_shared<Sequential>();
  encoder->add(Flatten()).add(first);
  if (options.units != CodeUnit::Linear) encoder->add(Activation(activation_of(options.units)));
  model.encoder = encoder;
  if (options.tied) {
    model.decoder = std::make_shared<const LinearTranspose>(first);
  } else {
    model.decoder = std::make_shared<const Linear>(options.codes, inputs, options.key.fold("decoder"));
  }
  const EncodeDecode whole(model.encoder, model.decoder, options.reconstruction == Reconstruction::Sigmoid);
  if (options.reconstruction == Reconstruction::Logits) {
    model.graph.add(CrossEntropy(model.x, whole, model.seen));
  } else {
    model.graph.add(SquaredError(model.x, whole, model.seen));
  }
  if (options.contractive > 0.0) {
    model.graph.add(
        Contractive(model.seen, model.encoder, {.weight = options.contractive, .fuse = options.fuse}));
  }
  if (options.saturating > 0.0) {
    Sequential away;
    away.add(Flatten()).add(first).add(Function(unsaturated(options.units)));
    model.graph.add(Network(std::move(away), {model.seen}, {.label = "saturating"}), options.saturating);
  }
  if (options.sparse > 0.0) {
    Sequential absolute;
    absolute.add(model.encoder).add(Activation(Activation::Kind::Abs));
    model.graph.add(Network(std::move(absolute), {model.seen}, {.label = "sparse"}), options.sparse);
  }
  return model;
}

Value Autoencoder::encode(const Value& values) const { return encoder->forward(values); }

Value Autoencoder::decode(const Value& h) const {
  const Value output = decoder->forward(h);
  return reconstruction == Reconstruction::Linear ? output : sigmoid(output);
}

State Autoencoder::prepared(const State& batch, Key key) const {
  if (corruption == Corruption::None) return batch;
  return batch.with(seen, Value(corrupted(batch[x].tensor(), corruption, amount, key)));
}

std::unique_ptr<Objective> Autoencoder::objective() const {
  auto energy = std::make_unique<MeanEnergy>(MeanEnergyOptions{
      .prepare = [model = *this](const State& batch, Key key) { return model.prepared(batch, key); }});
  if (activity.cost == 0.0) return energy;
  std::vector<SumObjective::Term> terms;
  terms.emplace_back(1.0, std::shared_ptr<const Objective>(std::move(energy)));
  terms.emplace_back(1.0, ActivitySparsity(x, encoder, activity));
  return std::make_unique<SumObjective>(std::move(terms));
}

}  // namespace basin
