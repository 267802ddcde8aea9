#include "models/recurrent.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/mean_energy.h"
#include "energy/objectives/sequence_energy.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/kinds/kind.h"
#include "training/kinds/recurrent_keys.h"
#include "training/kinds/target_column.h"
#include "training/measures/classification.h"
#include "training/measures/sequences.h"

/// "recurrent": layers of recurrent cells that foretell the next step of a sequence, or its label or value.
namespace basin {
namespace {

/// Of a text, the characters of which are kept.
constexpr Index kMostSymbols = 100'000'000;

struct Settings {
  std::string predict;
  RecurrentModelOptions model{.key = Key(0)};
  bool carried = false;
  std::optional<Index> ignored = {};
  Index written = 0;
  Index sampled = SequencePredictions{}.sampled, sampled_steps = SequencePredictions{}.sampled_steps;
};

/// One symbol, bits, or numbers of each step of a column. Bytes that are to be foretold are bits, or their
/// probabilities.
SequenceInput steps_of(const Column& column, bool is_foretold) {
  if (column.classes() > 0 && column.shape().size() == 1) return {Domain::Categorical, column.classes()};
  if (column.classes() == 0 && column.shape().size() == 2) {
    const bool is_bits = column.kind() == ColumnKind::Bytes && is_foretold;
    return {is_bits ? Domain::Binary : Domain::Real, column.shape()[1]};
  }
  throw Error(
      fmt::format("[recurrent] expected sequences, categories [T] or numbers [T, features], received column "
                  "{} of shape {}{}",
                  column.name(), to_string(column.shape()), column.classes() > 0 ? ", categories" : ""));
}

/// Scores of many sequences, some at a time: what a layer keeps of all steps of all of them may not fit.
std::shared_ptr<const Module> in_parts(std::shared_ptr<const Module> net) {
  constexpr Index kTogether = 100;
  const std::vector<Parameter> parameters = net->parameters();
  return std::make_shared<const Function>(
      [net = std::move(net)](const Value& x, const Context& context) {
        std::vector<Value> parts;
        for (Index begin = 0; begin < x.dim(0); begin += kTogether) {
          const Index end = std::min(begin + kTogether, x.dim(0));
          Context own = context;
          if (own.lengths.defined()) own.lengths = own.lengths.rows(begin, end);
          parts.push_back(net->forward(Value(x.tensor().rows(begin, end)), own).detached());
        }
        return concat(parts, 0);
      },
      parameters);
}

void predict_next(const Settings& settings, const RecurrentModelOptions& options, const Samples& samples,
                  Stage& stage) {
  const bool foretells_itself = options.input.domain != Domain::Categorical;
  RecurrentModel model;
  stage.inputs = {{samples.first().name(), {}}};
  if (foretells_itself) {
    if (settings.ignored)
      throw Error("[recurrent] expected symbols for evaluate.ignored, received numbers; leave it out");
    model = autoregressive_model(options);
  } else {
    const Column& next = target_column(
        "recurrent", samples,
        [&](const Column& column) { return column.classes() > 1 && column.shape() == samples.shape(); },
        "a second column of symbols of every step, for model.predict");
    if (settings.ignored && *settings.ignored >= next.classes()) {
      throw Error(
          fmt::format("[recurrent] expected evaluate.ignored among the categories 0 to {} of {}, received {}",
                      next.classes() - 1, next.name(), *settings.ignored));
    }
    model = sequence_model(options, {Domain::Categorical, next.classes()});
    stage.inputs.push_back({next.name(), model.y});
  }
  stage.inputs[0].variable = model.x;
  stage.graph = model.graph;
  stage.encoder = model.net;
  stage.facets.set(CodeWords{"scores of what comes next, of every step"});
  stage.objective =
      std::make_shared<const SequenceEnergy>(SequenceEnergyOptions{.carried = settings.carried});
  if (settings.carried) stage.order = SampleOrder::Streams;
  stage.monitors = stage.measures = {"sequences"};
  if (settings.written > 0 && (foretells_itself || !settings.carried)) {
    throw Error(
        "[recurrent] expected symbols and train.carried = true for a text (results.text), received others; "
        "leave it out");
  }
  stage.facets.set(SequencePredictions{.steps = model.steps,
                                       .x = model.x,
                                       .y = model.y,
                                       .carried = settings.carried,
                                       .ignored = settings.ignored,
                                       .written = settings.written,
                                       .sampled = settings.sampled,
                                       .sampled_steps = settings.sampled_steps});
}

void predict_label(const RecurrentModelOptions& options, const Samples& samples, Stage& stage) {
  const Column& label = target_column(
      "recurrent", samples,
      [](const Column& column) { return column.classes() > 1 && column.shape().empty(); },
      "a column of labels, for model.predict");
  const RecurrentModel model = recurrent_classifier(options, label.classes());
  stage.graph = model.graph;
  stage.inputs = {{samples.first().name(), model.x}, {label.name(), model.y}};
  stage.encoder = model.net;
  stage.facets.set(CodeWords{"scores of the labels"});
  stage.objective = std::make_shared<const Contrast>(ConditionalLikelihood({model.y}));
  stage.monitors = stage.measures = {"classification"};
  stage.facets.set(Classifier{in_parts(model.net)});
}

void predict_value(const RecurrentModelOptions& options, const Samples& samples, Stage& stage) {
  const Column& target = target_column(
      "recurrent", samples,
      [](const Column& column) { return column.kind() == ColumnKind::Reals && column.shape().size() == 1; },
      "a column of real numbers [M], for model.predict");
  const RecurrentModel model = recurrent_regression(options, target.shape()[0]);
  stage.graph = model.graph;
  stage.inputs = {{samples.first().name(), model.x}, {target.name(), model.y}};
  stage.encoder = model.net;
  stage.facets.set(CodeWords{"targets as predicted", "of the targets"});
  stage.objective = std::make_shared<const MeanEnergy>();
  stage.monitors = stage.measures = {"sequences"};
  stage.facets.set(SequencePredictions{.values = model.net, .x = model.x, .y = model.y});
}

Stage build(const Settings& settings, const StageContext& context) {
  if (context.data.empty()) {
    throw Error(
        "[recurrent] expected to stand first, where the data's sequences are, received a stage above "
        "another");
  }
  const Samples samples = context.samples();
  if (!context.pixels.augment.is_none() && samples.is_real()) {
    throw Error(
        fmt::format("[recurrent] expected images, read row by row, for data.augment, received sequences of "
                    "real numbers {}; leave it out",
                    to_string(samples.shape())));
  }
  RecurrentModelOptions options = settings.model;
  options.key = context.key.fold("model");
  options.stack.layer.placement = context.placement;
  options.input = steps_of(samples.first(), settings.predict == "next");
  Stage stage;
  if (settings.predict == "next") {
    predict_next(settings, options, samples, stage);
  } else if (settings.predict == "label") {
    predict_label(options, samples, stage);
  } else {
    predict_value(options, samples, stage);
  }
  stage.rules = rules_of(options.stack.layer, context.placement);
  return stage;
}

}  // namespace

StageBuilder read_recurrent(StageTables& tables) {
  Settings settings;
  const Reader in(tables.config.table("model"));
  read_cells(in, settings.model);
  settings.predict = in.table().choice("predict", {"next", "label", "value"}, "next");
  settings.model.hidden = in.count("hidden", 1);
  StackOptions& stack = settings.model.stack;
  stack.bidirectional = settings.predict != "next" && in.table().boolean("bidirectional", false);
  const Config train = tables.config.table("train");
  tables.objective = settings.predict == "label"
                         ? train.choice("objective", {"conditional_likelihood"}, "conditional_likelihood")
                         : train.choice("objective", {"energy"}, "energy");
  tables.fuse = read_fuse(train);
  stack.layer.steps = tables.fuse == Fuse::Auto ? Steps::Fused : Steps::Composed;
  if (settings.predict == "label") tables.plots = {"confusion", "misclassified", "saliency"};
  if (settings.predict == "next") {
    tables.plots = {"samples"};
    const Reader results(tables.config.table("results"));
    read_roll_picture(results, settings.sampled, settings.sampled_steps);
    settings.carried = train.boolean("carried", false);
    const Reader evaluate(tables.config.table("evaluate"));
    if (evaluate.table().has("ignored")) settings.ignored = evaluate.count("ignored", 0);
    settings.written = results.count("text", 0, 0, kMostSymbols);
    if (tables.smoke) settings.written = std::min<Index>(settings.written, 20);
  }
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin
