#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/catalog.h"
#include "energy/fuse.h"
#include "training/stage.h"

namespace basin {

/// The name of a head among the stages.
inline constexpr const char* kHead = "head";

/// The column of labels that a head learns.
struct LabelColumn {
  std::string name = {};
  Index classes = 0;
};

/// What a stage is built for.
struct StageContext {
  std::string name = {};             // of the stage
  Key key = Key(0);                  // of the stage; its model draws under key.fold("model")
  Shape sample_shape = {};           // of one sample of its input
  BatchOptions pixels = {};          // how bytes become numbers
  Placement placement = {};          // of parameters
  std::string data = {};             // the data set, for kinds that must know what made their samples, and
  DatasetOptions data_options = {};  // its options
  /// The training samples of the first stage, for kinds that must know their columns: loaded when asked for.
  std::function<Samples()> samples = {};

  // Of heads alone:
  LabelColumn labels = {};                        // of no classes where the data have none
  std::shared_ptr<const Module> below = nullptr;  // the encoders of all stages: samples -> [N, codes]
  Index codes = 0;
  std::vector<Stage> stages = {};                  // those below, from the first on,
  std::function<std::vector<Stage>()> twins = {};  // and the same again with parameters of their own
};

/// The labels that a head learns. Throws Error where the data have none.
const LabelColumn& labels_of(const StageContext& context);

using StageBuilder = std::function<Stage(const StageContext&)>;

/// A kind's reader is given the first part and says the second.
struct StageTables {
  Config config;       // holds [model], [train], [inference], [evaluate], [results] of a stage
  bool smoke = false;  // what takes time is to be cut short
  PixelScale scale = PixelScale::Unit;  // data.scale

  std::string objective = {};  // train.objective: one that the kind knows; "none": nothing is trained
  Fuse fuse = Fuse::Auto;
  bool needs_optimizer = true;               // with optimizer.kind = "none" something would never learn
  std::optional<double> learning_rate = {};  // of "sgd" where [optimizer] names none; {}: it must
  /// What the stage can give; "curves" is every stage's. A head's reader finds those of the first stage that
  /// a head on it can give, its `plots_above`.
  std::vector<std::string> plots = {}, plots_above = {};
  std::optional<Index> smoke_samples =
      {};  // training samples are no more in a smoke run, where they cost much
  /// A head whose samples are the codes of the stages below, which stay as they are.
  bool learns_codes = false;
};

/// The key fuse of a table: "auto" or "off".
Fuse read_fuse(const Config& table);

/// Reads the keys that are a kind's own. Throws Error where one makes no sense.
using ReadKind = StageBuilder(StageTables& tables);

/// Where in an experiment a kind may stand: as a stage (model.kind), or on top of all (head.kind, whose
/// reader finds its keys in [head]).
enum class Place { Stage, Head };

/// One kind of stage that experiment files may name.
struct Kind {
  std::string name;
  ReadKind* read;
  Place place = Place::Stage;
};

/// All there are, sorted by name: kinds.cpp.
const std::vector<Kind>& kinds();
/// What a [model] without a kind is.
extern const char* const kDefaultKind;
/// The names of those that may stand there.
std::vector<std::string> kind_names(Place place);
/// Throws Error naming those there are.
const Kind& find_kind(const std::string& name);

/// Reads the tables of a stage of a kind. What it returns fills in what every stage has: name, kind, key,
/// placement, pixels, plots, the encoder and the pictures by default.
StageBuilder read_stage(const Kind& kind, StageTables& tables);

}  // namespace basin
