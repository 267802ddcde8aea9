#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "energy/objectives/objective.h"
#include "modules/module.h"
#include "training/facets.h"
#include "training/source.h"

namespace basin {

/// Tells people one line while something goes on; may be empty.
using Say = std::function<void(const std::string&)>;

/// Everything about one thing that is trained, as data: made by a Kind (kinds/kind.h) from the tables of an
/// experiment, run by whoever holds it. Copies share parameters.
///
/// Everything random in it draws under `key`, so that a run repeats bit for bit; what training moves lives in
/// the graph's parameters, in `buffers` and in the objective's carry alone, so that a checkpoint holds all of
/// it.
struct Stage {
  std::string name;  // of the stage in its experiment
  std::string kind;  // the model.kind it was made by
  Key key = Key(0);

  FactorGraph graph;
  std::vector<Parameter> buffers = {};    // numbers that start() finds and nothing trains
  std::vector<Input> inputs = {};         // what a batch holds; the first holds the samples
  BatchOptions pixels = {};               // how their bytes become numbers
  SampleOrder order = SampleOrder::Auto;  // of training batches
  Placement placement = {};
  /// What to do where samples are not numbers in [0, 1], as this stage wants them; "": it takes any.
  std::string wants_unit_interval = {};
  std::shared_ptr<const Objective> objective = nullptr;  // null: nothing to train

  /// Samples [N, ...] of the first input to what the next stage learns from, [N, ...]: a Module that shares
  /// the parameters. read_stage() fills in the mean of `latents` (latent_encoders.h) where a kind gives none;
  /// null: there is none. Where its gradient does not reach the parameters (z* of an inference), parameters()
  /// is empty.
  std::shared_ptr<const Module> encoder = nullptr;
  std::shared_ptr<const Module> decoder =
      nullptr;  // codes back to samples, flat or in their shape; may be null
  std::vector<Variable> latents = {};
  Rules rules = {};  // rewrite rules that compute the encoder; the objective names its own

  /// Gives the parameters and buffers the first values that depend on the data, and warns of settings that
  /// make no sense for them. May be empty.
  std::function<void(const Source& samples, const Say& say)> start = {};
  /// Finds first values that take a training of their own; called behind start() where nothing has been
  /// trained yet. May be empty.
  std::function<void(const Source& samples, const Say& say)> pretrain = {};
  /// Training batches in place of the data's: `count` samples that are made anew. May be empty.
  std::function<Source(Index count)> batches = {};
  /// Batches beside those, for terms of the objective on data of their own (SumObjective), from source 1 on.
  /// May be empty.
  std::function<std::vector<Source>()> further = {};

  /// How its codes look in patches, given how its samples do: for a stage above it. Empty: they do not.
  std::function<Preprocessing(const Preprocessing& below)> pictures = {};

  std::vector<std::string> monitors = {};  // measures (measures/measure.h) taken after every epoch,
  std::vector<std::string> measures = {};  // and after training
  std::vector<std::string> plots = {};     // pictures (plots/plot.h) it can give
  Facets facets = {};                      // what its measures and plots ask for
};

/// Samples as batches of a stage: bytes become numbers by stage.pixels, or by another scale, as they are,
/// without augmentation. The first input takes the first column, whatever its name.
Source stage_source(const Stage& stage, const Samples& samples);
Source stage_source(const Stage& stage, const Samples& samples, PixelScale scale);
/// The same, means where pixels are drawn as bits for training.
Source stage_means(const Stage& stage, const Samples& samples);
/// Whether its batches hold the labels of the data.
bool sees_labels(const Stage& stage, const Dataset& data);
/// What it trains on: the samples whose labels may be used where its batches hold labels, else all for
/// training.
const Samples& training_samples(const Stage& stage, const Dataset& data);
/// What stage.batches makes, else those as batches in stage.order, with the augmentation of stage.pixels.
Source training_batches(const Stage& stage, const Dataset& data);

/// All that a checkpoint keeps of a stage's numbers: the graph's parameters, then buffers.
std::vector<Parameter> stored_parameters(const Stage& stage);

/// A facet that a measure or plot cannot do without. Throws Error that says who asked and what the stage is.
template <class T>
const T& need(const Stage& stage, const char* who) {
  if (const T* facet = stage.facets.get<T>()) return *facet;
  refuse_facet(who, T::kWhat, stage.kind);
}

}  // namespace basin
