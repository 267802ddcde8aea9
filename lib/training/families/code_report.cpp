#include "training/families/code_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "training/walk.h"

namespace basin {
namespace {

double total_square(const Value& x) { return sum(square(x.detached())).item(); }

double relative(double error, double whole) { return whole > 0.0 ? error / whole : std::sqrt(error); }

}  // namespace

std::map<std::string, double> CodeReport::metrics() const {
  std::map<std::string, double> metrics{{"loss_test", loss},
                                        {"relative_error_codes_test", reconstruction_error}};
  if (encodes) {
    metrics["relative_error_encoder_test"] = encoder_reconstruction_error;
    metrics["relative_error_prediction_test"] = prediction_error;
  }
  return metrics;
}

std::string CodeReport::put(Store& store, double units, const std::string& active_text) const {
  const auto put = [&](const char* name, double value) {
    store.put(std::string("/evaluation/") + name, std::vector<double>{value});
  };
  put("samples", static_cast<double>(samples));
  put("loss", loss);
  put("reconstruction_error", reconstruction_error);
  put("active", active / units);
  put("gap", convergence.mean());
  put("unconverged", convergence.fraction());
  std::string text =
      fmt::format("codes        error {:.4f} of |y|^2, {}, loss {:.5g}, gap {:.2g}, {} test samples\n",
                  reconstruction_error, active_text, loss, convergence.mean(), samples);
  if (encodes) {
    put("encoder_reconstruction_error", encoder_reconstruction_error);
    put("prediction_error", prediction_error);
    text +=
        fmt::format("encoder      error {:.4f} of |y|^2 by its codes alone, {:.4f} of |z|^2 from the codes\n",
                    encoder_reconstruction_error, prediction_error);
  }
  return text;
}

CodeReport measure_codes(const CodeMeasure& what, const Source& source, Index count, Key key) {
  CodeReport report;
  report.samples = count;
  report.encodes = what.encoder != nullptr;
  double data = 0.0, codes = 0.0;
  for (Index first = 0; first < count; first += what.together) {
    const State batch = samples_between(source, first, std::min(first + what.together, count), key);
    const Inferred inferred =
        what.minimum.minimum(what.graph, batch, key.fold(static_cast<std::uint64_t>(first)));
    const Value z = inferred.state[what.minimum.variable()], decoded = what.decoder.forward(z);
    const Value y = reshape(batch[what.y], decoded.shape());
    data += total_square(y);
    codes += total_square(z);
    report.loss += sum(what.energy.energy(inferred.state)).item();
    report.reconstruction_error += total_square(y - decoded);
    report.active += sum(step(abs(z))).item();
    report.convergence.add(inferred);
    if (report.encodes) {
      const Value guess = what.encoder->forward(batch[what.y]);
      report.encoder_reconstruction_error += total_square(y - what.decoder.forward(guess));
      report.prediction_error += total_square(z - guess);
    }
  }
  const auto samples = static_cast<double>(std::max<Index>(count, 1));
  report.loss /= samples;
  report.active /= samples;
  report.reconstruction_error = relative(report.reconstruction_error, data);
  report.encoder_reconstruction_error = relative(report.encoder_reconstruction_error, data);
  report.prediction_error = relative(report.prediction_error, codes);
  report.warning = warning(report.convergence, what.minimum.options().infer);
  return report;
}

LatentMinimumOptions dictionary_options(const InferOptions& infer, Index dead_after,
                                        std::shared_ptr<const Module> encoder, const Variable& y) {
  LatentMinimumOptions options;
  options.infer = infer;
  options.unit_norm = {"z.y.weight"};
  options.dead_after = dead_after;
  if (encoder != nullptr) {
    options.start = [encoder = std::move(encoder), y](const State& batch) {
      return encoder->forward(batch[y]).detached();
    };
  }
  return options;
}

}  // namespace basin
