#include "models/reader.h"

#include <fmt/format.h>

#include <limits>

#include "config/belongs.h"
#include "config/reader.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/labels/structured_loss.h"
#include "energy/objectives/prepared.h"
#include "models/layers.h"
#include "tensor/error.h"
#include "training/kinds/kind.h"
#include "training/kinds/target_column.h"
#include "training/measures/reading.h"

/// "reader": a convnet that scores every segment of an image as a character, and the best way to cut and read
/// it; trained as a whole by what strings should be read, or on characters that are cut out.
namespace basin {
namespace {

struct Settings {
  ReaderOptions model;
  std::string objective;
  double cost = 1.0;
};

/// The likelihood of labels given the true cuts: a classifier of characters that somebody cut out.
std::shared_ptr<const Objective> on_cut_characters(const ReaderModel& model, const Variable& ends) {
  return std::make_shared<const Prepared>(
      std::make_shared<const Contrast>(ConditionalLikelihood({model.label})),
      [model, ends](const State& batch, Key /*key*/) {
        return batch.with(model.segments, segments_of(model, batch[ends].tensor()));
      });
}

Stage build(const Settings& settings, const StageContext& context) {
  if (context.data.empty())
    throw Error(
        "[reader] expected to stand first, where images of strings are, received a stage above another");
  if (!context.pixels.augment.is_none())
    throw Error(
        "[reader] expected strings as they are, whose widths and cuts are known, received data.augment; "
        "leave it out");
  require_plain_layers("reader", settings.model.layers);
  const Samples samples = context.samples();
  const Column& label = target_column(
      "reader", samples,
      [](const Column& column) { return column.classes() > 2 && column.shape().size() == 1; },
      "a column of categories [L], the characters of each string, the last of them for none");
  ReaderOptions options = settings.model;
  options.image = context.sample_shape;
  options.labels = label.classes() - 1;
  options.most = label.shape()[0];
  options.key = context.key.fold("model");
  options.placement = context.placement;
  ReaderModel model = reader(options);

  Stage stage;
  stage.inputs = {{samples.first().name(), model.image}, {label.name(), model.label}};
  if (settings.objective == "cut") {
    const Column* cuts = samples.find("cuts");
    if (cuts == nullptr || cuts->kind() != ColumnKind::Integers || cuts->shape() != label.shape())
      throw Error(
          fmt::format("[reader] expected a column cuts of whole numbers {}, where each character ends, for "
                      "train.objective = "
                      "\"cut\", received {}; take another objective",
                      to_string(label.shape()), cuts == nullptr ? "none" : to_string(cuts->shape())));
    const Variable ends = model.graph.real("cuts", cuts->shape());
    stage.inputs.push_back({cuts->name(), ends});
    stage.objective = on_cut_characters(model, ends);
  } else {
    stage.objective =
        std::make_shared<const StructuredLoss>(Block{model.label}, structured_loss(settings.objective),
                                               StructuredLossOptions{.cost = settings.cost});
  }
  stage.graph = model.graph;
  stage.encoder = model.scores;
  stage.monitors = stage.measures = {"reading"};
  stage.facets.set(StringReader{
      .image = model.image, .label = model.label, .segments = model.segments, .stride = model.stride});
  return stage;
}

}  // namespace

StageBuilder read_reader(StageTables& tables) {
  Settings settings;
  const Reader in(tables.config.table("model"));
  settings.model.layers = in.table().texts("layers");
  settings.model.longest = in.count("longest", 1, settings.model.longest);
  settings.model.parts = in.count("parts", 1, settings.model.parts);
  settings.model.hidden = in.count("hidden", 1, settings.model.hidden);
  settings.model.normalised = in.table().boolean("normalised", false);
  const Reader train(tables.config.table("train"));
  std::vector<std::string> objectives = structured_losses();
  objectives.emplace_back("cut");
  tables.objective = settings.objective = train.table().choice("objective", objectives, "nll");
  refuse_unless(settings.objective == "hinge", train.table(), {"cost"}, "objective = \"hinge\"");
  if (settings.objective == "hinge")
    settings.cost = train.within("cost", 0.0, std::numeric_limits<double>::max(), settings.cost);
  if (tables.smoke) tables.smoke_samples = 64;
  tables.plots = {"reads"};
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin
