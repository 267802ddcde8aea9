#include "training/families/autoencoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/contraction.h"
#include "energy/factors/contractive.h"
#include "tensor/error.h"
#include "training/pictures.h"
#include "training/plan.h"
#include "training/reader.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kMonitored = 1000;  // samples
constexpr Index kShown = 20;        // samples
constexpr Index kJacobians = 200;   // samples whose Jacobian is found without a closed form

AutoencoderSettings read_settings(const Config& config, Plan& plan) {
  AutoencoderSettings settings;
  const Reader in(config.table("model"));
  AutoencoderOptions& model = settings.model;
  model.codes = in.count("codes", 1);
  model.units = parse_code_unit(
      in.table().choice("units", {"sigmoid", "tanh", "relu", "softplus", "linear"}, "sigmoid"));
  model.reconstruction = parse_reconstruction(
      in.table().choice("reconstruction", {"linear", "sigmoid", "cross_entropy"}, "cross_entropy"));
  model.tied = in.table().boolean("tied", true);
  model.corruption = parse_corruption(
      in.table().choice("corruption", {"none", "gaussian", "masking", "salt_and_pepper"}, "none"));
  if (model.corruption != Corruption::None) {
    model.amount = in.within("amount", 0.0, model.corruption == Corruption::Gaussian ? kInfinity : 1.0);
  }
  model.contractive = in.within("contractive", 0.0, kInfinity, 0.0);
  const Reader train(config.table("train"));
  plan.train.objective = train.table().choice("objective", {"reconstruction"}, "reconstruction");
  plan.train.fuse = model.fuse =
      train.table().choice("fuse", {"auto", "off"}, "auto") == "auto" ? Fuse::Auto : Fuse::Off;
  settings.samples = Reader(config.table("evaluate")).count("samples", 1, 10000);
  return settings;
}

void read(const Config& config, Plan& plan) {
  const AutoencoderSettings settings = read_settings(config, plan);
  plan.build = [settings](const Plan& all, const Shape& sample_shape, Device device) {
    return std::make_unique<AutoencoderLearner>(all, settings, sample_shape, device);
  };
}

Autoencoder make_model(const Plan& plan, AutoencoderOptions options, const Shape& sample_shape,
                       Device device) {
  options.sample_shape = sample_shape;
  options.key = Key(plan.seed).fold("model");
  Autoencoder model = autoencoder(options);
  model.graph.to({plan.train.dtype, device});
  return model;
}

/// The weights of each code as rows: [codes, x.size()].
Tensor rows_of(const Module& layers, bool transposed) {
  for (const Parameter& parameter : layers.parameters()) {
    if (parameter.tensor().rank() != 2) continue;
    const Value weight = parameter.value().detached();
    return on_host(transposed ? transpose(weight, {1, 0}) : weight);
  }
  throw Error("[draw] expected a layer with a weight, received one without");
}

}  // namespace

FamilyKind autoencoder_family() {
  return {.name = "autoencoder", .plots = {"encoder", "decoder", "reconstructions"}, .read = read};
}

AutoencoderLearner::AutoencoderLearner(const Plan& plan, const AutoencoderSettings& settings,
                                       const Shape& sample_shape, Device device)
    : settings_(settings),
      pixels_{.scale = plan.data.scale, .threshold = plan.data.threshold},
      key_(plan.seed),
      model_(make_model(plan, settings.model, sample_shape, device)),
      objective_(model_.objective()) {}

Source AutoencoderLearner::make_source(const Samples& samples) const {
  if (samples.is_real() && model_.reconstruction != Reconstruction::Linear) {
    throw Error("[autoencoder] expected model.reconstruction = \"linear\" for data that are not in [0, 1]");
  }
  return source(model_.x, samples, pixels_, model_.graph.placement());
}

Source AutoencoderLearner::batches(const Dataset& data) const { return make_source(data.train); }

Monitor AutoencoderLearner::monitor(const Dataset& data) const {
  const Source all = make_source(data.test);
  const State test = samples_between(all, 0, std::min(all.count(), kMonitored), key_.fold("monitor"));
  return [this, x = flatten(test[model_.x])](Index /*epoch*/) {
    const Value error = mean(sum_per_sample(square(x - model_.decode(model_.encode(x)))));
    return std::map<std::string, double>{{"reconstruction_error_test", error.item()}};
  };
}

std::string AutoencoderLearner::evaluate(const Dataset& data, const Carry& /*carry*/, Store& store,
                                         const Say& /*say*/) const {
  const Source test = make_source(data.test);
  const Index count = std::min(test.count(), settings_.samples);
  const bool closed = recognises_contraction(*model_.encoder);
  const Index jacobians = closed ? count : std::min(count, kJacobians);
  double error = 0.0, size = 0.0, jacobian = 0.0, codes = 0.0;
  for (Index first = 0; first < count; first += kChunk) {
    const Index last = std::min(first + kChunk, count);
    const Value x = flatten(samples_between(test, first, last, key_.fold("evaluate"))[model_.x]);
    const Value h = model_.encode(x).detached();
    error += sum(square(x - model_.decode(h))).item();
    size += sum(square(x)).item();
    codes += sum(h).item();
    const Index seen = std::min(last, jacobians) - first;
    if (seen > 0) {
      const Value some = slice(x, 0, 0, seen);
      jacobian +=
          sum(sqrt((closed ? contraction(*model_.encoder, some) : squared_jacobian(*model_.encoder, some))
                       .detached()))
              .item();
    }
  }
  const auto n = static_cast<double>(count);
  const std::pair<const char*, double> numbers[] = {
      {"samples", n},
      {"reconstruction_error", error / n},
      {"relative_error", size > 0.0 ? error / size : error},
      {"jacobian", jacobian / static_cast<double>(jacobians)},
      {"mean_code", codes / n / static_cast<double>(settings_.model.codes)}};
  for (const auto& [name, number] : numbers)
    store.put(std::string("/evaluation/") + name, std::vector<double>{number});
  return fmt::format(
      "reconstruction  error {:.4f} of |x|^2 ({:.3f} a sample), |dh/dx| {:.4f}, mean code {:.4f}, {} test "
      "samples\n",
      numbers[2].second, numbers[1].second, numbers[3].second, numbers[4].second, count);
}

void AutoencoderLearner::draw(const Drawing& drawing, const DataSupply& data, const Carry& /*carry*/) const {
  TileOptions tiles = sized(drawing.tiles, model_.x.shape);
  if (drawing.plot == "encoder") {
    save_png(tile(rows_of(*model_.encoder, true), tiles), drawing.path);
  } else if (drawing.plot == "decoder") {
    save_png(tile(rows_of(*model_.decoder, settings_.model.tied), tiles), drawing.path);
  } else if (drawing.plot == "reconstructions") {
    const Source test = make_source(data.all().test);
    const State batch = model_.prepared(
        samples_between(test, 0, std::min(test.count(), kShown), key_.fold("draw")), key_.fold("draw"));
    std::vector<Value> rows{flatten(batch[model_.x])};
    if (!(model_.seen == model_.x)) rows.push_back(flatten(batch[model_.seen]));
    rows.push_back(model_.decode(model_.encode(rows.back())).detached());
    tiles.sort_by_norm = false;
    tiles.is_signed = model_.reconstruction == Reconstruction::Linear && data.all().test.is_real();
    tiles.columns = static_cast<int>(batch.batch());
    save_png(tile(on_host(concat(rows, 0)), tiles), drawing.path);
  } else {
    throw Error(
        fmt::format("[draw] expected encoder, decoder or reconstructions, received '{}'", drawing.plot));
  }
}

}  // namespace basin
