#include <algorithm>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/factors/independent_components.h"
#include "energy/factors/network.h"
#include "energy/factors/squared_error.h"
#include "energy/objectives/mean_energy.h"
#include "modules/flatten.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/linear_transpose.h"
#include "modules/sequential/sequential.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/measures/density.h"

/// Independent components: "ica", square, by maximum likelihood; "rica", as many as wanted, by a
/// reconstruction in the place of an inverse: E(x) = lambda |x - W'W x|^2 + sum_j sqrt((W x)_j^2 + epsilon)
/// (Le, Karpenko, Ngiam, Ng 2011, "ICA with reconstruction cost for efficient overcomplete feature learning",
/// eq. 2, with their smooth L1).
namespace basin {
namespace {

Stage build_ica(const StageContext& context) {
  Stage stage;
  const Variable x = stage.graph.real("x", context.sample_shape);
  const IndependentComponents components(x, context.key.fold("model"));
  stage.graph.add(components);
  stage.graph.to(context.placement);
  stage.inputs = {{"image", x}};
  stage.objective = std::make_shared<const MeanEnergy>();
  stage.encoder = std::make_shared<const Function>(
      [components](const Value& rows, const Context&) { return components.sources(rows); },
      components.parameters());
  stage.facets.set(free_energy_of(stage.graph, x))
      .set(Dictionary{.atoms = [components] { return components.unmixing().tensor(); }, .shape = x.shape});
  return stage;
}

struct Rica {
  Index codes = 0;
  double lambda = 1.0, epsilon = 0.01;
};

Stage build_rica(const Rica& settings, const StageContext& context) {
  Stage stage;
  const Variable x = stage.graph.real("x", context.sample_shape);
  const Linear filters(x.size(), settings.codes, context.key.fold("model"),
                       {.bias = false, .placement = context.placement});
  auto encoder = std::make_shared<Sequential>();
  encoder->add(Flatten()).add(filters);
  const auto decoder = std::make_shared<const LinearTranspose>(
      filters, LinearOptions{.bias = false, .placement = context.placement});
  Sequential both, smooth;
  both.add(std::shared_ptr<const Module>(encoder)).add(std::shared_ptr<const Module>(decoder));
  smooth.add(std::shared_ptr<const Module>(encoder))
      .add(Function([epsilon = settings.epsilon](const Value& code, const Context&) {
        return sqrt(square(code) + epsilon);
      }));
  stage.graph.add(SquaredError(x, std::move(both), x), 2.0 * settings.lambda);
  stage.graph.add(Network(std::move(smooth), {x}, {.label = "smooth"}));
  stage.inputs = {{"image", x}};
  stage.objective = std::make_shared<const MeanEnergy>();
  stage.encoder = encoder;
  stage.decoder = decoder;
  stage.facets.set(free_energy_of(stage.graph, x))
      .set(Dictionary{.atoms = columns_of(filters.weight()), .shape = x.shape});
  return stage;
}

}  // namespace

StageBuilder read_ica(StageTables& tables) {
  tables.objective = tables.config.table("train").choice("objective", {"likelihood"}, "likelihood");
  tables.plots = {"dictionary", "energy_surface"};
  return [](const StageContext& context) { return build_ica(context); };
}

StageBuilder read_rica(StageTables& tables) {
  const Reader model(tables.config.table("model"));
  Rica settings;
  settings.codes = model.count("codes", 1);
  settings.lambda = model.within("lambda", 0.0, kInfinity, settings.lambda);
  settings.epsilon = model.positive("epsilon", settings.epsilon);
  tables.objective = tables.config.table("train").choice("objective", {"reconstruction"}, "reconstruction");
  tables.plots = {"dictionary", "energy_surface"};
  return [settings](const StageContext& context) { return build_rica(settings, context); };
}

}  // namespace basin
