#include "training/health/health.h"

#include <fmt/format.h>

#include <utility>

#include "config/reader.h"
#include "training/health/checks.h"

namespace basin {
namespace {

struct Check {
  const char* key;
  bool (*is_on)(const HealthOptions& options);
  HealthCheck* look;
};

/// All there are, those first that cost nothing.
const std::vector<Check>& checks() {
  using O = HealthOptions;
  static const std::vector<Check> all = {
      {"diverged", [](const O& o) { return o.diverged > 0.0; }, check_diverged},
      {"idle_units", [](const O& o) { return o.idle_units > 0.0; }, check_idle_units},
      {"unconverged", [](const O& o) { return o.unconverged; }, check_unconverged},
      {"bracket", [](const O& o) { return o.bracket > 0.0; }, check_bracket},
      {"energy_gap", [](const O& o) { return o.energy_gap > 0.0; }, check_energy_gap},
      {"chain_variance", [](const O& o) { return o.chain_variance > 0.0; }, check_chain_variance},
      {"code_variance", [](const O& o) { return o.code_variance > 0.0; }, check_code_variance},
      {"mixing", [](const O& o) { return o.mixing > 0.0; }, check_mixing},
  };
  return all;
}

}  // namespace

HealthOptions read_health(const Config& table) {
  const Reader in(table);
  HealthOptions options;
  options.stops = table.choice("action", {"warn", "stop"}, "warn") == "stop";
  options.diverged = in.within("diverged", 0.0, kInfinity, options.diverged);
  options.idle_units = in.within("idle_units", 0.0, 1.0, options.idle_units);
  options.unconverged = table.boolean("unconverged", options.unconverged);
  options.energy_gap = in.within("energy_gap", 0.0, kInfinity, options.energy_gap);
  options.mixing = in.within("mixing", 0.0, kInfinity, options.mixing);
  if (options.mixing > 0.0 && options.mixing <= 1.0)
    table.fail("mixing", "expected a split R-hat above 1, which chains that have mixed have, or 0 for none");
  options.chain_variance = in.within("chain_variance", 0.0, 1.0, options.chain_variance);
  options.code_variance = in.within("code_variance", 0.0, 1.0, options.code_variance);
  options.bracket = in.within("bracket", 0.0, kInfinity, options.bracket);
  return options;
}

std::vector<Ailment> ailments(const HealthView& at, const HealthOptions& options) {
  std::vector<Ailment> found;
  if (at.history.epochs().at.empty()) return found;
  for (const Check& check : checks()) {
    if (!check.is_on(options)) continue;
    if (std::string text = check.look(at, options); !text.empty())
      found.push_back({check.key, std::move(text)});
  }
  return found;
}

void HealthWatch::look_over(const HealthView& at) {
  for (const Ailment& ailment : ailments(at, options_)) {
    if (options_.stops) {
      throw Unhealthy(fmt::format("[health] {}: stage {}, {}; health.action = \"stop\" says to stop",
                                  ailment.check, at.view.stage.name, ailment.text));
    }
    if (said_.insert(ailment.check).second && at.view.say) at.view.say("warning: " + ailment.text);
  }
}

}  // namespace basin
