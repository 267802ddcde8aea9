#include "energy/sample/continuous/mala.h"

#include <cmath>
#include <utility>

#include "autograd/ops.h"

namespace basin {

Mala::Mala(Block moved, MalaOptions options)
    : move_(RealBlock("Mala", std::move(moved)),
            {.step = options.step > 0.0 ? std::sqrt(2.0 * options.step) : options.step,
             .leapfrogs = 1,
             .jitter = 0.0,
             .variances = std::move(options.variances),
             .tune = options.tune}) {}

Info Mala::info(const State& after) const {
  Info said = move_.info(after);
  if (const auto time = said.find("step_size"); time != said.end()) time->second = 0.5 * square(time->second);
  return said;
}

}  // namespace basin
