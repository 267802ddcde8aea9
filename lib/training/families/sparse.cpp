#include "training/families/sparse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/minimise/dictionary.h"
#include "energy/objectives/online_dictionary.h"
#include "models/conv_sparse_coding.h"
#include "results/gabor.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/walk.h"

namespace basin {
namespace {

template <bool encodes, bool warm_start>
void read(const Config& config, Plan& plan) {
  const SparseSettings settings = read_sparse_settings(config, plan,
                                                       warm_start ? "psd_warm_start"
                                                       : encodes  ? "psd"
                                                                  : "sparse_coding");
  plan.build = [settings](const Plan& all, const Shape& sample_shape, Device device) {
    return std::make_unique<SparseLearner>(all, settings, sample_shape, device);
  };
}

Psd make_model(const Plan& plan, const SparseSettings::Model& settings, const Shape& sample_shape,
               Device device) {
  const SparseCodingOptions code{.sample_shape = sample_shape,
                                 .atoms = settings.atoms,
                                 .lambda = settings.lambda,
                                 .non_negative = settings.non_negative,
                                 .placement = {plan.train.dtype, device},
                                 .key = Key(plan.seed).fold("model")};
  if (settings.encodes) {
    const PsdOptions options{.code = code, .alpha = settings.alpha, .encoder = settings.encoder};
    return settings.warm_start ? psd_warm_start(options) : psd(options);
  }
  SparseCoding model = sparse_coding(code);
  return {.graph = model.graph,
          .inference = model.graph,
          .y = model.y,
          .z = model.z,
          .decoder = model.decoder,
          .encoder = nullptr};
}

LatentMinimumOptions minimum_options(const SparseSettings& settings, const Psd& model) {
  LatentMinimumOptions options =
      dictionary_options(settings.inference.options, settings.train.dead_after, model.encoder, model.y);
  if (model.encoder) options.inferred_by = model.inference;
  return options;
}

}  // namespace

FamilyKind sparse_coding_family() {
  return {.name = "sparse_coding",
          .plots = {"dictionary", "dictionary_unwhitened", "reconstructions"},
          .read = read<false, false>};
}

FamilyKind psd_family() {
  return {.name = "psd",
          .plots = {"dictionary", "dictionary_unwhitened", "encoder", "reconstructions"},
          .read = read<true, false>};
}

FamilyKind psd_warm_start_family() {
  return {.name = "psd_warm_start",
          .plots = {"dictionary", "dictionary_unwhitened", "encoder", "reconstructions"},
          .read = read<true, true>};
}

SparseLearner::SparseLearner(const Plan& plan, const SparseSettings& settings, const Shape& sample_shape,
                             Device device)
    : settings_(settings),
      pixels_{.scale = plan.data.scale, .threshold = plan.data.threshold},
      key_(plan.seed),
      model_(make_model(plan, settings.model, sample_shape, device)),
      minimum_(std::make_shared<const LatentMinimum>(model_.z, make_solver(settings.inference, model_.z),
                                                     minimum_options(settings, model_))) {
  if (settings.train.online) {
    objective_ = std::make_shared<const OnlineDictionary>(
        *minimum_, "z.y.weight", OnlineDictionaryOptions{.forget = settings.train.forget});
  } else {
    objective_ = minimum_;
  }
}

Source SparseLearner::make_source(const Samples& samples) const {
  return source(model_.y, samples, pixels_, model_.graph.placement());
}

Source SparseLearner::batches(const Dataset& data) const { return make_source(data.train); }

void SparseLearner::start(const Dataset& data, const Say& say) {
  const Source samples = batches(data);
  const Tensor& atoms = model_.decoder->weight().tensor();
  if (settings_.model.atoms_from_data) {
    const std::vector<Index> order = permutation(key_.fold("model").fold("atoms"), samples.count());
    Index k = 0;
    for (const Index row : order) {
      if (k == atoms.dim(0)) break;
      const Value sample = flatten(samples.batch(std::vector<Index>{row}, key_.fold("model"))[model_.y]);
      if (sum(square(sample)).item() > 0.0) {
        atoms.rows(k, k + 1).copy_from(sample.tensor());
        ++k;
      }
    }
    scale_to_unit_norm(atoms);
    if (model_.encoder) {
      model_.encoder->weight().tensor().copy_from(transpose(Value(atoms), {1, 0}).tensor());
    }
  }
  const State head = samples_between(samples, 0, std::min<Index>(samples.count(), 256), key_.fold("model"));
  const std::optional<double> largest = largest_useful_weight(model_.inference, model_.z, head);
  if (largest && settings_.model.lambda >= *largest && say) {
    say(
        fmt::format("warning: model.lambda = {} is not below {:.4g}, from which all codes are zero; nothing "
                    "will be learned",
                    settings_.model.lambda, *largest));
  }
}

CodeReport SparseLearner::measure(const Source& samples, Index count, Key key) const {
  return measure_codes({.minimum = *minimum_,
                        .graph = model_.graph,
                        .energy = model_.inference,
                        .y = model_.y,
                        .decoder = *model_.decoder,
                        .encoder = model_.encoder.get(),
                        .together = kChunk},
                       samples, count, key);
}

Monitor SparseLearner::monitor(const Dataset& data) const {
  constexpr Index kMonitored = 500;  // samples
  const Source test = make_source(data.test);
  return [this, test, count = std::min(test.count(), kMonitored)](Index /*epoch*/) {
    return measure(test, count, key_.fold("monitor")).metrics();
  };
}

std::string SparseLearner::evaluate(const Dataset& data, const Carry& /*carry*/, Store& store,
                                    const Say& /*say*/) const {
  const Source test = make_source(data.test);
  const CodeReport report =
      measure(test, std::min(test.count(), settings_.evaluate.samples), key_.fold("evaluate"));
  const auto atoms = static_cast<double>(settings_.model.atoms);
  std::string text = report.put(store, atoms, fmt::format("{:.2f} % active", 100.0 * report.active / atoms));
  if (settings_.evaluate.gabor || settings_.evaluate.likeness) {
    const Picturable elements = picturable(model_, data.preprocessing, false);
    if (elements.pixels.size() != 2) {
      throw Error(
          fmt::format("[evaluate] expected samples that are pictures, received samples {}; set "
                      "evaluate.gabor and likeness = false",
                      to_string(elements.pixels)));
    }
    if (settings_.evaluate.gabor) text += fit_elements(elements, store);
    if (settings_.evaluate.likeness) {
      const Index height = elements.pixels[0], width = elements.pixels[1];
      const double likeness =
          mean_best_correlation(elements.rows.reshaped({settings_.model.atoms, height, width}));
      store.put("/evaluation/likeness", std::vector<double>{likeness});
      text += fmt::format(
          "elements     {:.3f}: mean best correlation with another element, over all shifts\n", likeness);
    }
  }
  if (!report.warning.empty()) text += "warning      " + report.warning + "\n";
  return text;
}

std::string SparseLearner::fit_elements(const Picturable& elements, Store& store) const {
  constexpr double kGood = 0.8;  // share of an element's variance that a Gabor function should explain
  const std::vector<Gabor> fits = fit_gabors(elements.rows, elements.pixels.at(0), elements.pixels.at(1));
  std::vector<double> explained;
  for (const Gabor& fit : fits) {
    explained.push_back(fit.explained);
  }
  store.put("/evaluation/gabor/explained", explained);
  store.put("/evaluation/gabor/share", std::vector<double>{share_explained(fits, kGood)});
  std::nth_element(explained.begin(), explained.begin() + static_cast<std::ptrdiff_t>(explained.size() / 2),
                   explained.end());
  return fmt::format(
      "gabor        {:.1f} % of the elements have at least {:.0f} % of their variance explained by a Gabor "
      "fit (median {:.3f})\n",
      100.0 * share_explained(fits, kGood), 100.0 * kGood, explained[explained.size() / 2]);
}

Samples SparseLearner::encoded(const Samples& samples) const {
  const Source all = make_source(samples);
  const Tensor codes({samples.count, settings_.model.atoms});
  for (Index first = 0; first < samples.count; first += kChunk) {
    const Index last = std::min(first + kChunk, samples.count);
    const Value y = samples_between(all, first, last, key_.fold("features"))[model_.y];
    codes.rows(first, last)
        .copy_from(abs(model_.encoder->forward(y)).detached().tensor().to(codes.placement()));
  }
  Samples made{real_column("code", codes)};
  for (const Column& column : samples.columns) {
    if (&column != &samples.first()) made.add(column);  // labels stay with their samples
  }
  return made;
}

std::optional<Dataset> SparseLearner::features(const Dataset& data) const {
  if (!model_.encoder) return std::nullopt;
  return Dataset{.name = "features",
                 .train = encoded(data.train),
                 .test = encoded(data.test),
                 .preprocessing = layer_pictures(model_, data.preprocessing)};
}

void SparseLearner::draw(const Drawing& drawing, const DataSupply& data, const Carry& /*carry*/) const {
  if (drawing.plot == "reconstructions") {
    const Source test = make_source(data.all().test);
    const State batch = samples_between(test, 0, std::min<Index>(test.count(), 20), key_.fold("draw"));
    const Value z = minimum_->minimum(model_.graph, batch, key_.fold("draw")).state[model_.z];
    draw_reconstructions(drawing, model_, batch, z, data.all());
  } else {
    draw_elements(drawing, model_, data);
  }
}

}  // namespace basin
