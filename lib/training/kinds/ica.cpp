#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/factors/independent_components.h"
#include "energy/objectives/mean_energy.h"
#include "models/rica.h"
#include "models/room.h"
#include "modules/function.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/measures/density.h"

/// Independent components: "ica", square, by maximum likelihood; "rica", as many as wanted, by a
/// reconstruction in the place of an inverse (models/rica.h).
namespace basin {
namespace {

Stage build_ica(const StageContext& context) {
  Stage stage;
  const Variable x = stage.graph.real("x", context.sample_shape);
  const auto size = static_cast<double>(x.size());
  require_room(fmt::format("[ica] as many components as samples have numbers, {},", x.size()), size * size,
               context.placement);
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

Stage build_rica(RicaOptions options, const StageContext& context) {
  require_room(fmt::format("[rica] model.codes = {}", options.codes),
               static_cast<double>(options.codes) * static_cast<double>(element_count(context.sample_shape)),
               context.placement);
  options.sample_shape = context.sample_shape;
  options.key = context.key.fold("model");
  const Rica model = rica(options);
  model.graph.to(context.placement);
  Stage stage;
  stage.graph = model.graph;
  stage.inputs = {{"image", model.x}};
  stage.objective = std::make_shared<const MeanEnergy>();
  stage.encoder = model.encoder;
  stage.decoder = model.decoder;
  stage.facets.set(free_energy_of(model.graph, model.x))
      .set(Dictionary{.atoms = columns_of(model.filters), .shape = model.x.shape});
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
  RicaOptions settings{.key = Key(0)};
  settings.codes = model.count("codes", 1);
  settings.lambda = model.within("lambda", 0.0, kInfinity, settings.lambda);
  settings.epsilon = model.positive("epsilon", settings.epsilon);
  tables.objective = tables.config.table("train").choice("objective", {"reconstruction"}, "reconstruction");
  tables.plots = {"dictionary", "energy_surface"};
  return [settings](const StageContext& context) { return build_rica(settings, context); };
}

}  // namespace basin
