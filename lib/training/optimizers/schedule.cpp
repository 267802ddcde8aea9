#include "training/optimizers/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/error.h"

namespace basin {
namespace {

double time(const Position& position, Clock clock) {
  return static_cast<double>(clock == Clock::Steps ? position.step : position.epoch);
}

}  // namespace

Schedule::Schedule(double value) : function_([value](const Position&) { return value; }) {}

Schedule Schedule::linear(double from, double to) {
  return Schedule([=](const Position& p) { return from + (to - from) * p.fraction; });
}

Schedule Schedule::geometric(double from, double to) {
  if (!(from > 0.0 && to > 0.0)) {
    throw Error(fmt::format(
        "[schedule] geometric expected positive ends, received {} and {}; take linear to end at 0", from,
        to));
  }
  return Schedule([=](const Position& p) { return from * std::pow(to / from, p.fraction); });
}

Schedule Schedule::cosine(double from, double to) {
  return Schedule([=](const Position& p) {
    return to + 0.5 * (from - to) * (1.0 + std::cos(std::numbers::pi * p.fraction));
  });
}

Schedule Schedule::inverse_time(double from, double half_life, Clock clock) {
  if (!(half_life > 0.0)) {
    throw Error(fmt::format("[schedule] inverse_time expected a positive half life, received {}", half_life));
  }
  return Schedule([=](const Position& p) { return from / (1.0 + time(p, clock) / half_life); });
}

Schedule Schedule::hold(double from, double hold, Clock clock) {
  if (!(hold > 0.0)) throw Error(fmt::format("[schedule] hold expected a positive time, received {}", hold));
  return Schedule([=](const Position& p) { return from / std::max(1.0, time(p, clock) / hold); });
}

Schedule Schedule::stairs(double from, double factor, Index every, Clock clock) {
  if (!(factor > 0.0 && std::isfinite(factor) && every >= 1)) {
    throw Error(fmt::format("[schedule] stairs expected a factor above 0 and every >= 1, received {} and {}",
                            factor, every));
  }
  return Schedule([=](const Position& p) {
    return from * std::pow(factor, std::floor(time(p, clock) / static_cast<double>(every)));
  });
}

Schedule Schedule::warmed(Index warm_up, Clock clock) const {
  if (warm_up < 0) throw Error(fmt::format("[schedule] warmed expected a time >= 0, received {}", warm_up));
  return Schedule([=, rest = *this](const Position& p) {
    const double share = (time(p, clock) + 1.0) / static_cast<double>(std::max<Index>(1, warm_up));
    return rest(p) * std::min(1.0, share);
  });
}

Schedule Schedule::by_epoch(std::vector<std::pair<Index, double>> entries) {
  for (std::size_t i = 0; i == 0 || i < entries.size(); ++i) {
    const bool rises =
        i < entries.size() && (i == 0 ? entries[0].first == 0 : entries[i].first > entries[i - 1].first);
    if (!rises) {
      throw Error(
          fmt::format("[schedule] by_epoch expected epochs that begin at 0 and are rising, received {}",
                      i < entries.size() ? fmt::format("{} as number {}", entries[i].first, i + 1) : "none"));
    }
  }
  return Schedule([entries = std::move(entries)](const Position& p) {
    double value = 0.0;
    for (const auto& [epoch, next] : entries) {
      if (epoch <= p.epoch) value = next;
    }
    return value;
  });
}

}  // namespace basin
