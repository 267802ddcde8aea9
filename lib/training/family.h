#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "energy/objectives/objective.h"
#include "results/picture.h"
#include "results/store.h"
#include "training/source.h"

namespace basin {

struct Plan;

/// Tells people one line while something goes on; may be empty.
using Say = std::function<void(const std::string&)>;

/// What pictures may need of the data.
struct DataSupply {
  std::function<const Dataset&()> all;  // the data set of the plan, loaded when first asked for
  std::function<const Preprocessing&()>
      preprocessing;  // what became of its images: also known without the data, by a results file
};

/// Metrics of the epoch that has just ended, given its number (1, 2, ...).
using Monitor = std::function<std::map<std::string, double>(Index epoch)>;

/// A picture to draw.
struct Drawing {
  std::string plot;  // "basis"
  std::string path;  // the file to write
  TileOptions tiles =
      {};  // as people asked for; the learner sets the size of a tile and whether zero is mid-grey
};

/// What an experiment trains: model and objective, how data enter it, and what to measure and to draw. Made
/// by a FamilyKind from the tables of an experiment. Everything random in it draws under Key(plan.seed), so
/// that a run repeats bit for bit; what training moves lives in the graph's parameters and in the objective's
/// carry alone, so that a checkpoint holds all of it.
class Learner {
 public:
  virtual ~Learner() = default;

  virtual const FactorGraph& graph() const = 0;
  virtual const Objective& objective() const = 0;
  /// Gives the parameters the starting values that depend on the data, and warns of settings that make no
  /// sense for them.
  virtual void start(const Dataset& /*data*/, const Say& /*say*/) {}
  /// Training batches; `data` outlives them.
  virtual Source batches(const Dataset& data) const = 0;
  /// Measures at the end of each epoch; empty: nothing beside the objective's own metrics. `data` outlives
  /// it.
  virtual Monitor monitor(const Dataset& /*data*/) const { return {}; }
  /// Measures what was learned: numbers into /evaluation of the store, lines for people as the result.
  virtual std::string evaluate(const Dataset& data, const Carry& carry, Store& store,
                               const Say& say) const = 0;
  /// What its encoder makes of samples in one pass, for a next layer to learn from: real values [K], and as
  /// preprocessing (of scale 1) the pictures that codes stand for. nullopt where there is no encoder.
  virtual std::optional<Dataset> features(const Dataset& /*data*/) const { return std::nullopt; }
  /// Draws one of its kind's plots. Throws Error for a name it does not know.
  virtual void draw(const Drawing& drawing, const DataSupply& data, const Carry& carry) const = 0;
};

/// Makes the learner of a plan for samples of a shape, initialised under Key(plan.seed).fold("model").
using Builder =
    std::function<std::unique_ptr<Learner>(const Plan& plan, const Shape& sample_shape, Device device)>;

/// One kind of model that experiment files may name.
struct FamilyKind {
  std::string name;                // the model.kind
  std::vector<std::string> plots;  // pictures it draws, beside "curves", which every kind has
  /// Reads the tables' keys that are its own ([model], [train] with the choice of `objective`, [evaluate],
  /// [results]); of the plan, seed, smoke, data and optimizer are there already. Sets plan.train.objective,
  /// plan.train.fuse and plan.build; throws Error where a key makes no sense. With plan.smoke, what takes
  /// time is cut short.
  void (*read)(const Config& config, Plan& plan) = nullptr;
};

/// All there are, sorted by name: training/families/.
const std::vector<FamilyKind>& families();

}  // namespace basin
