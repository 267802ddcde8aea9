#include "training/measures/nmse.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace basin {
namespace {

Monitor monitor(const StageView& view) {
  const auto& recovery = need<Recovery>(view.stage, "nmse");
  constexpr Index kMonitored = 500;  // samples
  return [&recovery, errors = recovery.network(std::min(view.data().test.count, kMonitored))] {
    std::map<std::string, double> metrics;
    const std::vector<double> found = errors();
    for (std::size_t i = 0; i < found.size(); ++i)
      metrics[fmt::format("nmse_test_{}", recovery.depths[i])] = found[i];
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
  for (const Recovery::Row& row : recovery.compare(view.data().test.count)) {
    put_result(store, {"nmse/" + row.method, "dB", Better::Down}, row.nmse);
    text += line(row.method, row.nmse, "{:>9.2f}");
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
