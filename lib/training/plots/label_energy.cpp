#include "training/plots/label_energy.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/factors/network.h"
#include "energy/factors/penalties/box.h"
#include "energy/factors/score.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "modules/function.h"
#include "results/pictures/sheet.h"
#include "tensor/error.h"
#include "training/measures/classification.h"
#include "training/plots/images.h"

namespace basin {
namespace {

/// The samples and the labels of a classifier. Throws Error where a stage has no energy of both.
struct Pair {
  Variable x, y;
};

Pair sample_and_label(const Stage& stage, const char* who) {
  need<Classifier>(stage, who);
  if (stage.inputs.size() < 2 || stage.inputs[1].variable.domain != Domain::Categorical ||
      stage.inputs[1].variable.shape.size() != 1) {
    throw Error(fmt::format("[{}] expected an energy of samples and labels, received another", who));
  }
  return {stage.inputs[0].variable, stage.inputs[1].variable};
}

/// 1/2 of the squared differences of neighbours along the last two axes, of each sample.
Value roughness(const Value& x) {
  Value sum = Tensor::zeros({x.dim(0)}, x.placement());
  for (const Index axis : {x.rank() - 2, x.rank() - 1}) {
    const Index n = x.dim(axis);
    if (n > 1) sum = sum + sum_per_sample(square(slice(x, axis, 1, n) - slice(x, axis, 0, n - 1)));
  }
  return 0.5 * sum;
}

/// The first sample of each class, at most so many.
std::vector<Index> one_of_each(const Column& labels, Index most) {
  std::vector<Index> rows;
  for (Index k = 0; k < labels.classes() && std::ssize(rows) < most; ++k) {
    const auto all = labels.integers();
    const auto found = std::find(all.begin(), all.end(), static_cast<std::int32_t>(k));
    if (found != all.end()) rows.push_back(found - all.begin());
  }
  return rows;
}

/// For each of the first `count` categories of y the x of least energy, smooth and not large.
Tensor images_of_least_energy(const Stage& stage, FactorGraph graph, const Variable& x, const Variable& y,
                              Index count, const ClassImageOptions& options, const ProximalOptions& how) {
  const double a = options.decay, r = options.roughness;
  graph.add(Network(Function([=](const Value& image, const Context&) {
                      return reshape(a * 0.5 * sum_per_sample(square(image)) + r * roughness(image), {-1, 1});
                    }),
                    {x}, {.label = "penalty"}));
  if (options.in_unit_interval) graph.add(Box(x, 0.0, 1.0));
  const Placement placement = stage.placement;
  std::vector<double> labels(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < labels.size(); ++k) labels[k] = static_cast<double>(k);
  const State start = State()
                          .set(y, one_hot(Tensor::from(labels, {count}, placement), y.shape[0]))
                          .set(x, Tensor::full(batched(x, count), options.start, placement));
  const Inferred found = infer(graph, x, Ista(x, how), start,
                               {.max_steps = options.steps, .stop = Stop::Never, .fuse = Fuse::Off},
                               stage.key.fold("class_images"));
  return found.state[x].tensor();
}

}  // namespace

Tensor saliency(const Stage& stage, const State& batch) {
  const Variable& x = sample_and_label(stage, "saliency").x;
  const Value at = Value::leaf(batch[x].tensor());
  const State state = State(batch).in(batch.context().with({})).with(x, at);
  const Value slopes = abs(grad(sum(stage.graph.energy(state)), {at}).front());
  return (slopes.rank() == 4 ? max(slopes, 1) : slopes).tensor();
}

Tensor class_images(const Stage& stage, const ClassImageOptions& options) {
  const auto [x, y] = sample_and_label(stage, "class_images");
  // The step that suits scores that are linear in x.
  return images_of_least_energy(stage, stage.graph, x, y, y.shape[0], options,
                                {.step = 1.0 / (options.decay + 8.0 * options.roughness)});
}

Tensor feature_images(const Stage& stage, Index count, bool are_probabilities,
                      const ClassImageOptions& options) {
  constexpr double kLeast = 1e-30;  // of a probability in f32
  const auto& codes = need<DeepCodes>(stage, "features");
  FactorGraph graph;
  const Variable x = graph.real("x", stage.inputs.at(0).variable.shape),
                 unit = graph.categorical("unit", {codes.codes});
  graph.add(
      Score(unit,
            Function(
                [encoder = codes.encoder, are_probabilities](const Value& image, const Context& context) {
                  const Value code = encoder->forward(image, context);
                  return are_probabilities ? log(maximum(code, ones_like(code) * kLeast)) : code;
                },
                codes.encoder->parameters()),
            x));
  return images_of_least_energy(stage, graph, x, unit, count, options, {.rule = StepRule::Backtracking});
}

void check_saliency(const Stage& stage) {
  (void)sample_and_label(stage, "saliency");
  (void)sample_picture_shape(stage, "saliency");
}

void draw_saliency(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  constexpr Index kSamples = 10;
  const Samples& samples = judged(view).samples;
  const Column& labels = *samples.labels();
  const std::vector<Index> rows =
      one_of_each(labels, drawing.tiles.limit > 0 ? Index{drawing.tiles.limit} : kSamples);
  const Source source = stage_source(view.stage, samples);
  const State batch = source.batch(rows, view.stage.key.fold("draw"));
  SheetPart part{.pictures = sample_pictures(batch[view.stage.inputs[0].variable].tensor(), samples),
                 .columns = static_cast<int>(rows.size()),
                 .rows = {"sample", "|dE/dx|"}};
  const Tensor slopes = on_host(saliency(view.stage, batch));
  const Value most = max(reshape(Value(slopes), {slopes.dim(0), -1}), 1);
  const Value scale = reshape(reciprocal(maximum(most, ones_like(most) * 1e-30)), {-1, 1, 1});
  const TileOptions grey = sized({.is_signed = false}, {slopes.dim(1), slopes.dim(2)});
  for (Picture& picture : small_pictures((Value(slopes) * scale).tensor(), grey))
    part.pictures.push_back(std::move(picture));
  for (const Index row : rows) {
    part.captions.push_back(
        category_name(view.data(), labels.name(), labels.integers()[static_cast<std::size_t>(row)]));
  }
  for (std::size_t i = rows.size(); i < part.pictures.size(); ++i)
    part.captions.push_back(fmt::format("most {:.2g}", most.tensor().values()[i - rows.size()]));
  save_png(sheet({part}, {.title = fmt::format("{}: slopes of the label's energy", drawing.title),
                          .least_width = drawing.tiles.least_width}),
           drawing.path);
}

void check_class_images(const Stage& stage) {
  if (sample_and_label(stage, "class_images").x.is_free())
    throw Error("[class_images] expected samples of one size, received sequences; take another plot");
  (void)sample_picture_shape(stage, "class_images");
}

void draw_class_images(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  ClassImageOptions options{.in_unit_interval = in_unit_interval(view.data().train)};
  if (!options.in_unit_interval) options.start = 0.0;
  const Tensor images = class_images(view.stage, options);
  const std::string& column = view.stage.inputs[1].column;
  SheetPart part{
      .heading = fmt::format("E(x, y) + {:g}/2 |x|^2 + {:g}/2 sum (differences)^2, {} steps from {:g}",
                             options.decay, options.roughness, options.steps, options.start),
      .pictures = sample_pictures(images, view.data().train),
      .columns = 10,
      .captions = category_names(view.data(), column, images.dim(0))};
  save_png(sheet({part}, {.title = fmt::format("{}: the image of least energy of each class", drawing.title),
                          .least_width = drawing.tiles.least_width}),
           drawing.path);
}

void check_features(const Stage& stage) {
  need<DeepCodes>(stage, "features");
  if (stage.inputs.at(0).variable.is_free())
    throw Error("[features] expected samples of one size, received sequences; take another plot");
  (void)sample_picture_shape(stage, "features");
}

/// At most 40 units, or the limit of the drawing.
void draw_features(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  constexpr Index kShown = 40, kLooked = 100;
  constexpr int kColumns = 10;
  const auto& codes = need<DeepCodes>(view.stage, "features");
  const State batch = first_samples(view, std::min(judged(view).samples.count, kLooked));
  const Value found = flatten(codes.encoder->forward(batch[view.stage.inputs.at(0).variable]).detached());
  const bool are_probabilities =
      max(reshape(found, {-1}), 0).item() <= 1.0 && max(reshape(-found, {-1}), 0).item() <= 0.0;
  ClassImageOptions options{.steps = 100, .in_unit_interval = in_unit_interval(view.data().train)};
  if (!options.in_unit_interval) options.start = 0.0;
  const Index shown = std::min(codes.codes, drawing.tiles.limit > 0 ? Index{drawing.tiles.limit} : kShown);
  Value images = feature_images(view.stage, shown, are_probabilities, options);
  if (options.in_unit_interval) {  // some units ask for much more than others
    const Shape shape = images.shape();
    const Value flat = reshape(images, {shown, -1}), most = reshape(max(flat, 1), {-1, 1});
    images = reshape(flat * reciprocal(maximum(most, ones_like(most) * 1e-30)), shape);
  }
  SheetPart part{
      .heading = fmt::format("{} + {:g}/2 |x|^2 + {:g}/2 sum (differences)^2, {} steps from {:g}{}",
                             are_probabilities ? "-log g(x)" : "-g(x)", options.decay, options.roughness,
                             options.steps, options.start,
                             options.in_unit_interval ? "; each by its largest pixel" : ""),
      .pictures = sample_pictures(images.tensor(), view.data().train),
      .columns = std::min(kColumns, static_cast<int>(shown))};
  save_png(sheet({part}, {.title = fmt::format("{}: what {} of {} units of the last stage look for",
                                               drawing.title, shown, codes.codes),
                          .least_width = drawing.tiles.least_width}),
           drawing.path);
}

}  // namespace basin
