#include "training/measures/nmse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "autograd/ops.h"

namespace basin {
namespace {

constexpr Index kMonitored = 500;  // samples
constexpr Index kTogether = 100;   // samples whose 64 layers fit into memory with their tape

std::vector<double> nmse_of(const Unrolled& net, const SparseSignals::Batch& batch,
                            const std::vector<Index>& depths) {
  const Value y = batch.y, x = batch.x;
  std::vector<double> errors(depths.size(), 0.0);
  for (Index begin = 0; begin < x.dim(0); begin += kTogether) {
    const Index end = std::min(begin + kTogether, x.dim(0));
    const Value target = slice(x, 0, begin, end);
    const std::vector<Value> codes = net.codes(slice(y, 0, begin, end));
    for (std::size_t i = 0; i < depths.size(); ++i) {
      errors[i] += sum(square(flatten(codes[static_cast<std::size_t>(depths[i] - 1)]) - target)).item();
    }
  }
  const double power = sum(square(x)).item();
  for (double& error : errors) error = 10.0 * std::log10(error / power);
  return errors;
}

Monitor monitor(const StageView& view) {
  const auto& recovery = need<Recovery>(view.stage, "nmse");
  const auto& [samples, part] = watched(view);
  return [&recovery, name = "nmse_" + part,
          signals = recovery.signals(part, std::min(samples.count, kMonitored))] {
    std::map<std::string, double> metrics;
    const std::vector<double> found = nmse_of(*recovery.network, signals, recovery.depths);
    for (std::size_t i = 0; i < found.size(); ++i)
      metrics[fmt::format("{}_{}", name, recovery.depths[i])] = found[i];
    return metrics;
  };
}

std::string line(const std::string& method, const std::vector<double>& numbers, const char* format) {
  std::string text = fmt::format("{:<22}", method);
  for (const double number : numbers) text += fmt::format(fmt::runtime(format), number);
  return text + "\n";
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& recovery = need<Recovery>(view.stage, "nmse");
  if (view.say) view.say("error against number of iterations, beside untrained inference");
  const std::vector<Index>& depths = recovery.depths;
  store.put("/evaluation/depth", std::vector<std::int64_t>(depths.begin(), depths.end()));
  std::string text = line("NMSE in dB, iterations:", {depths.begin(), depths.end()}, "{:>9.0f}");
  const auto& [samples, part] = judged(view);
  const SparseSignals::Batch signals = recovery.signals(part, samples.count);
  const auto report = [&](const std::string& method, const std::vector<double>& nmse) {
    put_result(store, {"nmse/" + method, "dB", Better::Down}, nmse);
    text += line(method, nmse, "{:>9.2f}");
  };
  report(view.stage.kind, nmse_of(*recovery.network, signals, depths));
  for (const Recovery::Rival& rival : recovery.rivals()) {
    std::vector<double> best(depths.size(), std::numeric_limits<double>::infinity());
    for (const Unrolled& net : rival.networks) {
      const std::vector<double> found = nmse_of(net, signals, depths);
      for (std::size_t i = 0; i < best.size(); ++i) best[i] = std::min(best[i], found[i]);
    }
    report(rival.method, best);
  }
  return text;
}

}  // namespace

Measure nmse_measure() {
  return {.name = "nmse",
          .metrics = {{"nmse_test", "dB", Better::Down}},
          .monitor = monitor,
          .evaluate = evaluate};
}

}  // namespace basin
