#include "training/kinds/shared.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "config/reader.h"
#include "training/latent_encoders.h"
#include "training/plots/reconstructions.h"

namespace basin {

Fuse read_fuse(const Config& table) {
  return table.choice("fuse", {"auto", "off"}, "auto") == "auto" ? Fuse::Auto : Fuse::Off;
}

void read_code_model(const Config& tables, const char* start, CodeSettings& settings) {
  const Reader in(tables.table("model"));
  settings.lambda = in.within("lambda", 0.0, kInfinity);
  settings.non_negative = in.table().boolean("non_negative", false);
  settings.from_data = in.table().choice("start", {"data", "normal"}, start) == "data";
  if (!settings.encodes) return;
  settings.alpha = in.positive("alpha", 1.0);
  settings.encoder = parse_encoder_kind(in.table().choice("encoder", {"shrinkage", "tanh", "relu"},
                                                          settings.non_negative ? "relu" : "shrinkage"));
}

void read_inference(StageTables& tables, const std::vector<std::string>& solvers, double tolerance,
                    Index max_steps, CodeSettings& settings) {
  const Reader in(tables.config.table("inference"));
  settings.solver = in.table().choice("solver", solvers, solvers.front());
  const bool by_coordinates = settings.solver == "coordinate_descent";
  settings.infer.tolerance = in.within("tolerance", 0.0, 1.0, tolerance);
  settings.infer.max_steps = in.count("max_steps", 1, by_coordinates ? 10 * max_steps : max_steps);
  if (!by_coordinates) {
    const std::string rule = in.table().choice("step", {"lipschitz", "backtracking"}, "lipschitz");
    settings.proximal.rule = rule == "backtracking" ? StepRule::Backtracking : StepRule::Lipschitz;
  }
  settings.infer.fuse = tables.fuse = read_fuse(in.table());
}

std::shared_ptr<const LatentMinimum> code_minimum(const CodeSettings& settings, const Variable& z,
                                                  const Variable& y,
                                                  const std::shared_ptr<const Module>& encoder,
                                                  std::optional<FactorGraph> inferred_by) {
  LatentMinimumOptions options{.infer = settings.infer,
                               .inferred_by = std::move(inferred_by),
                               .unit_norm = {"z.y.weight"},
                               .dead_after = settings.dead_after};
  if (encoder) {
    options.start = [encoder, y](const State& batch) { return encoder->forward(batch[y]).detached(); };
  }
  std::shared_ptr<const Transition> solver;
  if (settings.solver == "coordinate_descent") {
    solver = std::make_shared<const CoordinateDescent>(z);
  } else if (settings.solver == "ista") {
    solver = std::make_shared<const Ista>(z, settings.proximal);
  } else {
    solver = std::make_shared<const Fista>(z, Fista::Options{.proximal = settings.proximal});
  }
  return std::make_shared<const LatentMinimum>(z, std::move(solver), std::move(options));
}

void warn_of_lambda(const CodeSettings& settings, const FactorGraph& graph, const Variable& z,
                    const State& head, const Say& say) {
  const std::optional<double> largest = largest_useful_weight(graph, z, head);
  if (largest && settings.lambda >= *largest && say) {
    say(
        fmt::format("warning: model.lambda = {} is not below {:.4g}, from which all codes are zero; nothing "
                    "will be learned",
                    settings.lambda, *largest));
  }
}

void complete_codes(Stage& stage, const Variable& y, Codes codes, Index shown) {
  stage.inputs = {{"image", y}};
  stage.latents = {codes.minimum->variable()};
  stage.decoder = codes.decoder;
  stage.encoder = codes.encoder;
  if (!stage.encoder) stage.encoder = std::make_shared<const LatentArgmin>(stage.graph, y, codes.minimum);
  stage.monitors.insert(stage.monitors.begin(), "codes");
  stage.measures.insert(stage.measures.begin(), "codes");
  stage.facets.set(Reconstructions{
      .rows =
          [graph = stage.graph, y, codes](const State& batch, Key key) {
            const Value z = codes.minimum->minimum(graph, batch, key).state[codes.minimum->variable()];
            const Value decoded = codes.decoder->forward(z);
            std::vector<Value> rows{reshape(batch[y], decoded.shape()), decoded};
            if (codes.encoder) rows.push_back(codes.decoder->forward(codes.encoder->forward(batch[y])));
            return rows;
          },
      .shown = shown});
  stage.facets.set(std::move(codes));
}

}  // namespace basin
