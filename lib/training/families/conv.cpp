#include "training/families/conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/minimise/dictionary.h"
#include "tensor/error.h"
#include "training/pictures.h"
#include "training/plan.h"
#include "training/reader.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kMonitored = 8;  // images
constexpr Index kTogether = 16;  // images whose codes stand in memory at a time
constexpr const char* kFilters = "z.y.weight";

ConvSettings read_settings(const Config& config, Plan& plan, bool encodes) {
  ConvSettings settings;
  settings.encodes = encodes;
  const Reader model(config.table("model"));
  settings.filters = model.count("filters", 1);
  settings.filter_size = model.count("filter_size", 1, 9);
  settings.lambda = model.within("lambda", 0.0, kInfinity);
  settings.non_negative = model.table().boolean("non_negative", false);
  settings.from_data = model.table().choice("start", {"data", "normal"}, "data") == "data";
  if (encodes) {
    settings.alpha = model.positive("alpha", 1.0);
    settings.encoder = parse_encoder_kind(model.table().choice("encoder", {"shrinkage", "tanh", "relu"},
                                                               settings.non_negative ? "relu" : "shrinkage"));
  }
  settings.inference = read_inference(config, plan, {"fista", "ista"}, 1e-2, 500);
  const Reader train(config.table("train"));
  plan.train.objective = train.table().choice("objective", {"sgd"}, "sgd");
  settings.dead_after = train.count("dead_after", 0, 50);
  settings.samples = Reader(config.table("evaluate")).count("samples", 1, 100);
  if (plan.smoke) {
    settings.samples = std::min<Index>(settings.samples, 4);
    settings.inference.options.max_steps = std::min<Index>(settings.inference.options.max_steps, 20);
    // An image costs as much as many samples of other kinds.
    const Index few = std::max(kTogether, train.count("batch", 1, 100));
    Index& images = plan.data.options.train;
    images = images == 0 ? few : std::min(images, few);
  }
  return settings;
}

template <bool encodes>
void read(const Config& config, Plan& plan) {
  const ConvSettings settings = read_settings(config, plan, encodes);
  plan.build = [settings](const Plan& all, const Shape& sample_shape, Device device) {
    return std::make_unique<ConvLearner>(all, settings, sample_shape, device);
  };
}

ConvPsd make_model(const Plan& plan, const ConvSettings& settings, const Shape& sample_shape, Device device) {
  const ConvSparseCodingOptions code{.image_shape = sample_shape,
                                     .filters = settings.filters,
                                     .filter = {settings.filter_size, settings.filter_size},
                                     .lambda = settings.lambda,
                                     .non_negative = settings.non_negative,
                                     .placement = {plan.train.dtype, device},
                                     .key = Key(plan.seed).fold("model")};
  if (settings.encodes) {
    return conv_psd({.code = code, .alpha = settings.alpha, .encoder = settings.encoder});
  }
  ConvSparseCoding model = conv_sparse_coding(code);
  return {.graph = model.graph, .y = model.y, .z = model.z, .decoder = model.decoder, .encoder = nullptr};
}

}  // namespace

FamilyKind conv_sparse_coding_family() {
  return {.name = "conv_sparse_coding", .plots = {"dictionary", "reconstructions"}, .read = read<false>};
}

FamilyKind conv_psd_family() {
  return {.name = "conv_psd", .plots = {"dictionary", "encoder", "reconstructions"}, .read = read<true>};
}

ConvLearner::ConvLearner(const Plan& plan, const ConvSettings& settings, const Shape& sample_shape,
                         Device device)
    : settings_(settings),
      pixels_{.scale = plan.data.scale, .threshold = plan.data.threshold},
      key_(plan.seed),
      model_(make_model(plan, settings, sample_shape, device)),
      minimum_(std::make_shared<const LatentMinimum>(
          model_.z, make_solver(settings.inference, model_.z),
          dictionary_options(settings.inference.options, settings.dead_after, model_.encoder, model_.y))) {}

Source ConvLearner::make_source(const Samples& samples) const {
  return source(model_.y, samples, pixels_, model_.graph.placement());
}

Source ConvLearner::batches(const Dataset& data) const { return make_source(data.train); }

void ConvLearner::start(const Dataset& data, const Say& say) {
  const Source images = batches(data);
  const Key key = key_.fold("model").fold("start");
  const State head = samples_between(images, 0, std::min<Index>(images.count(), kTogether), key);
  if (settings_.from_data) {
    // As idle filters are replaced: by patches of images.
    const Tensor idle = Tensor::full({settings_.filters}, 1.0, {Dtype::F64, Device::Cpu});
    replace_idle(model_.graph, model_.graph.parameter(kFilters), head, idle, 1, key);
  }
  if (model_.encoder) start_encoder(model_, settings_.lambda);
  const std::optional<double> largest = largest_useful_weight(model_.graph, model_.z, head);
  if (largest && settings_.lambda >= *largest && say) {
    say(
        fmt::format("warning: model.lambda = {} is not below {:.4g}, from which all codes are zero; nothing "
                    "will be learned",
                    settings_.lambda, *largest));
  }
}

CodeReport ConvLearner::measure(const Source& images, Index count, Key key) const {
  return measure_codes({.minimum = *minimum_,
                        .graph = model_.graph,
                        .energy = model_.graph,
                        .y = model_.y,
                        .decoder = *model_.decoder,
                        .encoder = model_.encoder.get(),
                        .together = kTogether},
                       images, count, key);
}

Monitor ConvLearner::monitor(const Dataset& data) const {
  const Source test = make_source(data.test);
  return [this, test, count = std::min(test.count(), kMonitored)](Index /*epoch*/) {
    std::map<std::string, double> metrics = measure(test, count, key_.fold("monitor")).metrics();
    if (settings_.filters > 1) metrics["likeness"] = mean_best_correlation(model_.decoder->weight().tensor());
    return metrics;
  };
}

std::string ConvLearner::evaluate(const Dataset& data, const Carry& /*carry*/, Store& store,
                                  const Say& /*say*/) const {
  const Source test = make_source(data.test);
  const CodeReport report = measure(test, std::min(test.count(), settings_.samples), key_.fold("evaluate"));
  const auto pixels = static_cast<double>(model_.y.size());
  std::string text = report.put(store, pixels, fmt::format("{:.4f} active a pixel", report.active / pixels));
  if (settings_.filters > 1) {
    const double likeness = mean_best_correlation(model_.decoder->weight().tensor());
    store.put("/evaluation/likeness", std::vector<double>{likeness});
    text += fmt::format("filters      {:.3f}: mean best correlation with another filter, over all shifts\n",
                        likeness);
  }
  if (!report.warning.empty()) text += "warning      " + report.warning + "\n";
  return text;
}

void ConvLearner::draw(const Drawing& drawing, const DataSupply& data, const Carry& /*carry*/) const {
  const Shape pixels{settings_.filter_size, settings_.filter_size};
  if (drawing.plot == "reconstructions") {
    const Source test = make_source(data.all().test);
    const State batch = samples_between(test, 0, std::min<Index>(test.count(), 4), key_.fold("draw"));
    const Value y = batch[model_.y];
    std::vector<Value> rows{
        y,
        model_.decoder->forward(minimum_->minimum(model_.graph, batch, key_.fold("draw")).state[model_.z])};
    if (model_.encoder) rows.push_back(model_.decoder->forward(model_.encoder->forward(y)));
    TileOptions tiles = sized(drawing.tiles, {model_.y.shape[1], model_.y.shape[2]});
    tiles.is_signed = data.all().test.is_real();
    tiles.sort_by_norm = false;
    tiles.columns = static_cast<int>(batch.batch());
    const Tensor pictures =
        patches_of_samples(data.all().preprocessing, on_host(slice(concat(rows, 0).detached(), 1, 0, 1)));
    if (tiles.is_signed) {
      share_grey_levels(pictures, batch.batch());
      tiles.scale = TileScale::Global;
    }
    save_png(tile(pictures, tiles), drawing.path);
    return;
  }
  TileOptions tiles = sized(drawing.tiles, pixels);
  tiles.sort_by_norm = false;  // all filters have norm 1, and the encoder's stand where the decoder's do
  tiles.zoom = std::max(tiles.zoom, 4);
  const Picture filters = tile(on_host(slice(model_.decoder->weight().value().detached(), 1, 0, 1)), tiles);
  if (drawing.plot == "dictionary") {
    save_png(filters, drawing.path);
  } else if (drawing.plot == "encoder" && model_.encoder) {
    save_png(
        beside(filters, tile(on_host(slice(model_.encoder->weight().value().detached(), 1, 0, 1)), tiles)),
        drawing.path);
  } else {
    throw Error(fmt::format("[draw] expected dictionary, reconstructions{}, received '{}'",
                            model_.encoder ? " or encoder" : "", drawing.plot));
  }
}

}  // namespace basin
