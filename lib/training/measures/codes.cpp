#include "training/measures/codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "autograd/ops.h"

namespace basin {
namespace {

struct Report {
  Index samples = 0;
  double loss = 0.0, reconstruction_error = 0.0, encoder_error = 0.0, prediction_error = 0.0;
  double active = 0.0;  // codes other than 0, a sample
  Convergence convergence;
};

double total_square(const Value& x) { return sum(square(x.detached())).item(); }

double relative(double error, double whole) { return whole > 0.0 ? error / whole : std::sqrt(error); }

/// Of samples [0, count) of a source.
Report measure(const Stage& stage, const Codes& codes, const Source& source, Index count, Key key) {
  Report report;
  report.samples = count;
  const Variable& y_variable = stage.inputs.at(0).variable;
  const FactorGraph& energy =
      codes.minimum->options().inferred_by ? *codes.minimum->options().inferred_by : stage.graph;
  double data = 0.0, all_codes = 0.0;
  for (Index first = 0; first < count; first += codes.together) {
    const State batch = samples_between(source, first, std::min(first + codes.together, count), key);
    const Inferred inferred =
        codes.minimum->minimum(stage.graph, batch, key.fold(static_cast<std::uint64_t>(first)));
    const Value z = inferred.state[codes.minimum->variable()], decoded = codes.decoder->forward(z);
    const Value y = reshape(batch[y_variable], decoded.shape());
    data += total_square(y);
    all_codes += total_square(z);
    report.loss += sum(energy.energy(inferred.state)).item();
    report.reconstruction_error += total_square(y - decoded);
    report.active += sum(step(abs(z))).item();
    report.convergence.add(inferred);
    if (codes.encoder) {
      const Value guess = codes.encoder->forward(batch[y_variable]);
      report.encoder_error += total_square(y - codes.decoder->forward(guess));
      report.prediction_error += total_square(z - guess);
    }
  }
  const auto samples = static_cast<double>(std::max<Index>(count, 1));
  report.loss /= samples;
  report.active /= samples;
  report.reconstruction_error = relative(report.reconstruction_error, data);
  report.encoder_error = relative(report.encoder_error, data);
  report.prediction_error = relative(report.prediction_error, all_codes);
  return report;
}

Monitor monitor(const StageView& view) {
  const auto& codes = need<Codes>(view.stage, "codes");
  const auto& [samples, part] = watched(view);
  const Source source = stage_source(view.stage, samples);
  return [&stage = view.stage, &codes, source, part = "_" + part,
          count = std::min(source.count(), codes.monitored)] {
    const Report report = measure(stage, codes, source, count, stage.key.fold("monitor"));
    std::map<std::string, double> metrics{{"loss" + part, report.loss},
                                          {"relative_error_codes" + part, report.reconstruction_error}};
    if (codes.encoder) {
      metrics["relative_error_encoder" + part] = report.encoder_error;
      metrics["relative_error_prediction" + part] = report.prediction_error;
    }
    return metrics;
  };
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& codes = need<Codes>(view.stage, "codes");
  const auto& [samples, part] = judged(view);
  const Source source = stage_source(view.stage, samples);
  const Report report = measure(view.stage, codes, source, std::min(source.count(), codes.samples),
                                view.stage.key.fold("evaluate"));
  const auto units = static_cast<double>(codes.per_pixel ? view.stage.inputs.at(0).variable.size()
                                                         : codes.minimum->variable().size());
  const double active = report.active / units;
  put_result(store, {"samples", "samples"}, static_cast<double>(report.samples));
  put_result(store, {"loss", "energy", Better::Down}, report.loss);
  put_result(store, {"reconstruction_error", "1", Better::Down}, report.reconstruction_error);
  put_result(store, {"active", codes.per_pixel ? "codes a pixel" : "fraction of the codes"}, active);
  put_result(store, {"gap"}, report.convergence.mean());
  put_result(store, {"unconverged", "fraction of the samples", Better::Down}, report.convergence.fraction());
  std::string text =
      fmt::format("codes        error {:.4f} of |y|^2, {}, loss {:.5g}, gap {:.2g}, {} {} samples\n",
                  report.reconstruction_error,
                  codes.per_pixel ? fmt::format("{:.4f} active a pixel", active)
                                  : fmt::format("{:.2f} % active", 100.0 * report.active / units),
                  report.loss, report.convergence.mean(), report.samples, part);
  if (codes.encoder) {
    put_result(store, {"encoder_reconstruction_error", "1", Better::Down}, report.encoder_error);
    put_result(store, {"prediction_error", "1", Better::Down}, report.prediction_error);
    text +=
        fmt::format("encoder      error {:.4f} of |y|^2 by its codes alone, {:.4f} of |z|^2 from the codes\n",
                    report.encoder_error, report.prediction_error);
  }
  const std::string warned = warning(report.convergence, codes.minimum->options().infer);
  return warned.empty() ? text : text + "warning      " + warned + "\n";
}

}  // namespace

Measure codes_measure() {
  return {.name = "codes",
          .metrics = {{"loss_test", "energy", Better::Down},
                      {"relative_error_codes_test", "1", Better::Down},
                      {"relative_error_encoder_test", "1", Better::Down},
                      {"relative_error_prediction_test", "1", Better::Down}},
          .results = {"reconstruction_error", "encoder_reconstruction_error", "prediction_error", "loss",
                      "active", "gap", "unconverged", "samples"},
          .monitor = monitor,
          .evaluate = evaluate};
}

}  // namespace basin
