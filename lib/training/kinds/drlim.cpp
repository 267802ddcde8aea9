#include <algorithm>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/factors/penalties/pair_contrast.h"
#include "energy/objectives/mean_energy.h"
#include "models/layers.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/code_words.h"
#include "training/kinds/kind.h"
#include "training/kinds/target_column.h"
#include "training/measures/retrieval.h"
#include "training/plots/layers.h"

/// "drlim": a network whose codes are near for samples of one label and at least a margin apart for others,
/// by pairs (PairContrast; Hadsell, Chopra and LeCun 2006).
namespace basin {
namespace {

struct Settings {
  std::vector<std::string> layers;
  double margin = 1.0;
  Fuse fuse = Fuse::Auto;
};

/// A partner for every row: for even rows one of the same label, for odd rows one of another, drawn among all
/// that there are; another row at random where there is none.
std::vector<Index> partners_of(const std::vector<Index>& labels, Key key) {
  const auto count = static_cast<Index>(labels.size());
  const std::vector<double> draws = uniform(key, {count}, {Dtype::F64, Device::Cpu}).values();
  std::vector<Index> partners;
  for (Index n = 0; n < count; ++n) {
    const auto at = static_cast<std::size_t>(n);
    const bool wants_same = n % 2 == 0;
    std::vector<Index> fit, others;
    for (Index m = 0; m < count; ++m) {
      if (m == n) continue;
      others.push_back(m);
      if ((labels[static_cast<std::size_t>(m)] == labels[at]) == wants_same) fit.push_back(m);
    }
    const std::vector<Index>& among = fit.empty() ? others : fit;
    partners.push_back(
        among.empty() ? n : among[static_cast<std::size_t>(draws[at] * static_cast<double>(among.size()))]);
  }
  return partners;
}

/// The number of the label of each row of one-hot [N, K].
std::vector<Index> numbers_of(const Value& labels) {
  const std::vector<double> ones = labels.tensor().values();
  const auto classes = static_cast<std::size_t>(labels.dim(1));
  std::vector<Index> numbers;
  for (auto row = ones.begin(); row != ones.end(); row += static_cast<std::ptrdiff_t>(classes))
    numbers.push_back(std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row);
  return numbers;
}

struct Pairs {
  Variable x, label, partner, same;

  /// Samples and labels to pairs of samples.
  State operator()(const State& batch, Key key) const {
    const std::vector<Index> labels = numbers_of(batch[label]), partners = partners_of(labels, key);
    std::vector<double> rows, equal;
    for (std::size_t n = 0; n < labels.size(); ++n) {
      rows.push_back(static_cast<double>(partners[n]));
      equal.push_back(labels[static_cast<std::size_t>(partners[n])] == labels[n] ? 1.0 : 0.0);
    }
    const auto count = static_cast<Index>(labels.size());
    const Value& samples = batch[x];
    const Tensor indices = Tensor::from(rows, {count}, samples.placement());
    State pairs = batch.like();
    pairs.set(x, samples);
    pairs.set(partner, reshape(embedding(flatten(samples), indices), samples.shape()));
    pairs.set(same, Value(Tensor::from(equal, {count, 1}, samples.placement())));
    return pairs;
  }
};

Stage build(const Settings& settings, const StageContext& context) {
  if (context.data.empty()) {
    throw Error(
        "[drlim] expected to stand first, where the data's labels are, received a stage above another");
  }
  const Samples samples = context.samples();
  const Column& labels = target_column(
      "drlim", samples, [](const Column& column) { return column.classes() > 0 && column.shape().empty(); },
      "a column of labels");
  Stage stage;
  const Pairs pairs{.x = stage.graph.real("x", context.sample_shape),
                    .label = stage.graph.categorical("label", {labels.classes()}),
                    .partner = stage.graph.real("partner", context.sample_shape),
                    .same = stage.graph.binary("same", {1})};
  const auto network =
      build_layers(read_layers(settings.layers, context.sample_shape), context.key.fold("model"),
                   context.placement, {.fused = settings.fuse == Fuse::Auto});
  for (const Parameter& parameter : network->parameters()) {
    if (!parameter.is_trained())
      throw Error(
          "[drlim] expected layers that look at one sample, received batch_norm, whose statistics two "
          "passes of a step would move twice; take layer_norm");
  }
  stage.graph.add(PairContrast(pairs.x, pairs.partner, pairs.same, network, settings.margin));
  stage.inputs = {{samples.first().name(), pairs.x}, {labels.name(), pairs.label}};
  stage.encoder = network;
  stage.facets.set(CodeWords{"outputs of the network, near each other for samples that are alike"});
  if (network->fuses()) stage.rules = {"layers"};
  stage.objective = std::make_shared<const MeanEnergy>(MeanEnergyOptions{.prepare = pairs});
  stage.monitors = {"retrieval"};
  stage.facets.set(NetworkLayers{network, settings.layers});
  stage.facets.set(Retrieval{});
  return stage;
}

}  // namespace

StageBuilder read_drlim(StageTables& tables) {
  const Config train = tables.config.table("train");
  tables.objective = train.choice("objective", {"pairs"}, "pairs");
  tables.fuse = read_fuse(train);
  tables.plots = tables.plots_above = {"filters", "feature_maps"};
  const Reader in(tables.config.table("model"));
  const Settings settings{
      .layers = in.table().texts("layers"), .margin = in.positive("margin", 1.0), .fuse = tables.fuse};
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin
