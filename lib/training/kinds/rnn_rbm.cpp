#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/ends.h"
#include "energy/marginal/step_bipartite.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/sequence_energy.h"
#include "energy/sample/block_gibbs.h"
#include "models/recurrent.h"
#include "models/room.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/kinds/kind.h"
#include "training/kinds/recurrent_keys.h"
#include "training/measures/frames.h"
#include "training/measures/sequences.h"
#include "training/walk.h"

/// "rnn_rbm": every frame of a piano roll is an RBM, whose biases a recurrent net gives that has read the
/// frames before.
namespace basin {
namespace {

/// Gibbs sweeps that draw a frame that is made up, from the one before.
constexpr Index kSweeps = 25;

struct Settings {
  RecurrentModelOptions net{.key = Key(0)};
  Index units = 0;
  double weight_scale = 0.01;
  ContrastiveDivergenceOptions train;
  ReadFrameLikelihood likelihood;
  Index sampled = SequencePredictions{}.sampled, sampled_steps = SequencePredictions{}.sampled_steps;
};

/// E[h_t | v_t, the frames before] of every frame, 0 past the ends.
std::shared_ptr<const Module> encoder_of(const RecurrentRbm& model) {
  return std::make_shared<const Function>(
      [model](const Value& x, const Context& context) {
        const State state = State().in(context).set(model.x, x);
        const Value biases = model.biases->scores(state);
        const Value c = slice(biases, 2, model.v.shape[1], biases.dim(2));
        const Value mean = sigmoid(c + matmul(x, model.pair->weight().value()));
        if (!context.lengths.defined()) return mean;
        return mean * inside_lengths(model.h, mean.shape(), context, mean.placement());
      },
      model.graph.parameters());
}

/// The biases of v begin where each bit alone has the mean of all frames.
void start_at_means(const RecurrentRbm& model, const Source& samples, Key key) {
  Value sums;
  double frames = 0.0;
  walk_through(samples, samples.count(), key, [&](const State& state, Index) {
    const Value& x = state[model.x];
    const Context& context = state.context();
    const Value inside =
        context.lengths.defined() ? x * inside_lengths(model.x, x.shape(), context, x.placement()) : x;
    const Value part = sum(inside, {0, 1}).tensor().to(Dtype::F64);
    sums = sums.defined() ? sums + part : part;
    frames += step_count(model.graph, state);
  });
  const Value logits = log(sums + 1.0) - log((frames + 1.0) - sums);
  const Tensor& bias = model.graph.parameter("output.bias").tensor();
  bias.rows(0, model.v.shape[1]).copy_from(logits.tensor());
}

/// Frames [steps, size] that the model makes up one after another, on the host: each from the one before by
/// Gibbs sweeps, frame t under key.fold(t).
Tensor made_up_frames(const RecurrentRbm& model, Placement placement, Index steps, Key key) {
  const Index size = model.v.shape[1], units = model.h.shape[1];
  const Tensor roll({steps, size}, {Dtype::F32, Device::Cpu});
  const Tensor& weight = model.pair->weight().tensor();
  const Tensor frame = Tensor::zeros({1, size}, placement);
  const Tensor hidden({1, units}, placement);
  Context context;
  context.streams = std::make_shared<Streams>();
  for (Index t = 0; t < steps; ++t) {
    const Value biases =
        reshape(model.net->forward(Value(frame.clone().reshaped({1, 1, size})), context), {1, size + units});
    context.streams->starts = std::exchange(context.streams->ends, {});
    const Tensor b = slice(biases, 1, 0, size).detached().tensor(),
                 c = slice(biases, 1, size, size + units).detached().tensor();
    for (Index i = 0; i < kSweeps; ++i) {
      const Key sweep = key.fold(static_cast<std::uint64_t>(t)).fold(static_cast<std::uint64_t>(i));
      hidden.copy_from(c);
      multiply_by_weight(weight, 0, 1.0, frame, 1.0, hidden);
      draw_bits(hidden, sweep.fold("h"), 0, hidden);
      frame.copy_from(b);
      multiply_by_weight(weight, 1, 1.0, hidden, 1.0, frame);
      draw_bits(frame, sweep.fold("v"), 0, frame);
    }
    roll.rows(t, t + 1).copy_from(frame);
  }
  return roll;
}

Stage build(const Settings& settings, const StageContext& context) {
  if (context.data.empty())
    throw Error(
        "[rnn_rbm] expected to stand first, where the data's piano rolls are, received a stage above "
        "another");
  const Samples samples = context.samples();
  const Column& roll = samples.first();
  if (roll.kind() != ColumnKind::Bytes || roll.classes() > 0 || roll.shape().size() != 2) {
    throw Error(
        fmt::format("[rnn_rbm] expected sequences of bits [T, size], as piano rolls are, received column {} "
                    "of shape {}; take model.kind = \"recurrent\"",
                    roll.name(), to_string(roll.shape())));
  }
  RecurrentModelOptions options = settings.net;
  options.input = {Domain::Binary, roll.shape()[1]};
  options.key = context.key.fold("model");
  options.stack.layer.placement = context.placement;
  const FrameLikelihood& how = settings.likelihood.how;
  for (const auto& [key, chains] :
       {std::pair{"chains", how.annealing.chains}, std::pair{"epoch_chains", how.of_epochs.chains}}) {
    require_room(fmt::format("[rnn_rbm] evaluate.ais.{} = {}", key, chains),
                 static_cast<double>(chains) * static_cast<double>(options.input.size + settings.units),
                 context.placement);
  }
  if (how.exact && !settings.likelihood.none) {
    const Index few = std::min(options.input.size, settings.units),
                others = std::max(options.input.size, settings.units);
    if (few > kMostSummedUnits) {
      throw Error(
          fmt::format("[rnn_rbm] expected at most {} units on the smaller side for "
                      "evaluate.log_likelihood = \"exact\", received {}; take \"ais\"",
                      kMostSummedUnits, few));
    }
    require_room("[rnn_rbm] all states of a frame",
                 3.0 * std::ldexp(static_cast<double>(others), static_cast<int>(few)), context.placement);
  }
  const RecurrentRbm model = recurrent_rbm(options, settings.units, settings.weight_scale);

  Stage stage;
  stage.graph = model.graph;
  stage.inputs = {{roll.name(), model.x}, {roll.name(), model.v}};
  stage.encoder = encoder_of(model);
  stage.facets.set(CodeWords{"probabilities of h of every frame given it and those before", "probability"});
  stage.objective = std::make_shared<const Contrast>(
      ContrastiveDivergence(model.v, BlockGibbs({{model.h}, {model.v}}), settings.train));
  stage.start = [model, key = context.key.fold("bias")](const Source& source, const Say& /*say*/) {
    start_at_means(model, source, key);
  };
  FrameLikelihood likelihood = settings.likelihood.how;
  likelihood.v = model.v;
  if (!settings.likelihood.none) stage.monitors = stage.measures = {"frames"};
  stage.facets.set(std::move(likelihood))
      .set(SequencePredictions{.x = model.x,
                               .y = model.x,
                               .sampled = settings.sampled,
                               .sampled_steps = settings.sampled_steps,
                               .made_up = [model, placement = context.placement](Index steps, Key key) {
                                 return made_up_frames(model, placement, steps, key);
                               }});
  stage.rules = rules_of(options.stack.layer, context.placement);
  return stage;
}

}  // namespace

StageBuilder read_rnn_rbm(StageTables& tables) {
  Settings settings;
  const Reader in(tables.config.table("model"));
  settings.units = in.count("hidden", 1);
  settings.weight_scale = in.within("weight_scale", 0.0, kInfinity, 0.01);
  settings.net.hidden = in.count("recurrent", 1, 100);
  read_cells(in, settings.net);
  const Reader train(tables.config.table("train"));
  tables.objective = train.table().choice("objective", {"cd"}, "cd");
  settings.train.steps = train.count("steps", 1, 15);
  settings.train.fuse = tables.fuse = read_fuse(train.table());
  settings.net.stack.layer.steps = tables.fuse == Fuse::Auto ? Steps::Fused : Steps::Composed;
  settings.likelihood = read_frame_likelihood(tables.config, tables.smoke);
  read_roll_picture(Reader(tables.config.table("results")), settings.sampled, settings.sampled_steps);
  if (tables.smoke) {
    settings.sampled_steps = std::min<Index>(settings.sampled_steps, 20);
    tables.smoke_samples = 20;  // sequences
  }
  tables.plots = {"samples"};
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin
