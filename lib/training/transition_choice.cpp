#include "training/transition_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/reader.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/continuous/langevin.h"
#include "energy/sample/continuous/mala.h"
#include "energy/sample/continuous/nuts.h"
#include "energy/sample/discrete/chromatic_gibbs.h"
#include "energy/sample/discrete/gibbs_with_gradients.h"
#include "energy/sample/discrete/metropolis.h"
#include "energy/sample/parallel_tempering.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The keys of every transition; those of the one that is named are read.
struct Settings {
  std::string name;  // "": what suits
  double step = 0.1, clip = kInfinity;
  Index leapfrogs = 10, max_depth = 10, proposals = 1, flips = 1;
  Index temperatures = 0;
  double hottest = 0.0;
};

using Made = std::shared_ptr<const Transition>;

Made make_gibbs(const Settings&, const TransitionUse& use) {
  if (use.blocks.empty()) {
    throw Error(
        "[transition] expected blocks of units that can be drawn in turn for \"gibbs\", received a model "
        "without; take \"mala\" of real numbers, \"gibbs_with_gradients\" of bits");
  }
  return std::make_shared<const BlockGibbs>(use.blocks);
}

Made make_langevin(const Settings& s, const TransitionUse& use) {
  return std::make_shared<const Langevin>(use.moved, LangevinOptions{.step = s.step, .clip = s.clip});
}

Made make_mala(const Settings& s, const TransitionUse& use) {
  MalaOptions options{.step = s.step};
  options.tune.moves = use.tuned;
  return std::make_shared<const Mala>(use.moved, options);
}

Made make_hmc(const Settings& s, const TransitionUse& use) {
  HmcOptions options{.step = s.step, .leapfrogs = s.leapfrogs};
  options.tune.moves = use.tuned;
  return std::make_shared<const Hmc>(use.moved, options);
}

Made make_nuts(const Settings& s, const TransitionUse& use) {
  NutsOptions options{.step = s.step, .max_depth = s.max_depth};
  options.tune.moves = use.tuned;
  return std::make_shared<const Nuts>(use.moved, options);
}

Made make_metropolis(const Settings& s, const TransitionUse& use) {
  return std::make_shared<const Metropolis>(use.moved,
                                            MetropolisOptions{.proposals = s.proposals, .flips = s.flips});
}

Made make_gibbs_with_gradients(const Settings& s, const TransitionUse& use) {
  return std::make_shared<const GibbsWithGradients>(use.moved,
                                                    GibbsWithGradientsOptions{.proposals = s.proposals});
}

Made make_chromatic_gibbs(const Settings&, const TransitionUse& use) {
  return std::make_shared<const ChromaticGibbs>(use.moved);
}

bool any_domain(Domain) { return true; }
bool is_real(Domain domain) { return domain == Domain::Real; }
bool is_bits(Domain domain) { return domain == Domain::Binary; }
bool is_discrete(Domain domain) { return domain == Domain::Binary || domain == Domain::Categorical; }

struct Choice {
  const char* name;
  Made (*make)(const Settings& settings, const TransitionUse& use);
  bool (*moves)(Domain domain) = any_domain;
};

constexpr Choice kChoices[] = {{"gibbs", make_gibbs},
                               {"langevin", make_langevin, is_real},
                               {"mala", make_mala, is_real},
                               {"hmc", make_hmc, is_real},
                               {"nuts", make_nuts, is_real},
                               {"metropolis", make_metropolis, is_bits},
                               {"gibbs_with_gradients", make_gibbs_with_gradients, is_discrete},
                               {"chromatic_gibbs", make_chromatic_gibbs}};

/// The first variable that a transition of such variables does not move; null: it moves all.
const Variable* unmoved(const Block& moved, bool (*moves)(Domain)) {
  const auto found = std::ranges::find_if(moved, [&](const Variable& one) { return !moves(one.domain); });
  return found == moved.end() ? nullptr : &*found;
}

std::string suiting(const TransitionUse& use) {
  if (!use.blocks.empty()) return "gibbs";
  const Variable* unreal = unmoved(use.moved, is_real);
  if (unreal == nullptr) return "mala";
  const Variable* other = unmoved(use.moved, is_discrete);
  if (other == nullptr) return "gibbs_with_gradients";
  throw Error(
      fmt::format("[transition] expected variables that are all real, or all bits and codes, received {} and "
                  "{}, which are {} and {}: none moves both; leave out the chains",
                  unreal->name, other->name, to_string(unreal->domain), to_string(other->domain)));
}

void require_moved(const Choice& choice, const TransitionUse& use) {
  const Variable* other = unmoved(use.moved, choice.moves);
  if (other == nullptr) return;
  throw Error(fmt::format(
      "[transition] expected {} for \"{}\", received {}, which is {}; take \"{}\"",
      choice.moves == is_real ? "real numbers" : (choice.moves == is_bits ? "bits" : "bits and codes"),
      choice.name, other->name, to_string(other->domain),
      is_real(other->domain) ? "mala" : "gibbs_with_gradients"));
}

Settings read_settings(const Config& table, const std::string& otherwise) {
  const Reader in(table);
  Settings settings;
  std::vector<std::string> names;
  for (const Choice& choice : kChoices) names.emplace_back(choice.name);
  settings.name = otherwise;
  // No part of an experiment that does not say it.
  if (table.has("transition")) settings.name = table.choice("transition", names);
  const std::string& name = settings.name;
  if (name == "langevin" || name == "mala" || name == "hmc" || name == "nuts")
    settings.step = in.positive("step", name == "langevin" ? 0.01 : settings.step);
  if (name == "langevin" && table.has("clip")) settings.clip = in.positive("clip");
  if (name == "hmc") settings.leapfrogs = in.count("leapfrogs", 1, settings.leapfrogs, 10000);
  if (name == "nuts") settings.max_depth = in.count("max_depth", 1, settings.max_depth, 20);
  if (name == "metropolis" || name == "gibbs_with_gradients")
    settings.proposals = in.count("proposals", 1, settings.proposals);
  if (name == "metropolis") settings.flips = in.count("flips", 1, settings.flips);
  // No part of an experiment that does not say it.
  if (!table.has("temperatures")) return settings;
  settings.temperatures = in.count("temperatures", 0, 0, 10000);
  if (settings.temperatures == 1)
    table.fail("temperatures", "expected 0 (no tempering) or at least 2, received 1");
  if (settings.temperatures > 0) settings.hottest = in.within("hottest", 0.0, 1.0, 0.1);
  if (settings.hottest >= 1.0)
    table.fail("hottest",
               fmt::format("expected an inverse temperature below 1, received {}", settings.hottest));
  return settings;
}

TransitionMaker maker(const Settings& settings) {
  return [settings](const TransitionUse& use) -> Made {
    const std::string name = settings.name.empty() ? suiting(use) : settings.name;
    const auto* choice = std::ranges::find_if(kChoices, [&](const Choice& one) { return name == one.name; });
    require_moved(*choice, use);
    Made made = choice->make(settings, use);
    if (settings.temperatures == 0) return made;
    return std::make_shared<const ParallelTempering>(
        made, ParallelTemperingOptions{.ladder = even_ladder(settings.hottest, settings.temperatures),
                                       .burn_in = use.tuned});
  };
}

}  // namespace

TransitionMaker read_transition(const Config& table, const std::string& otherwise) {
  return maker(read_settings(table, otherwise));
}

TransitionMaker suiting_transition() { return maker({}); }

}  // namespace basin
