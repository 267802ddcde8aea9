#include "training/optimizers/average.h"

#include <fmt/format.h>

#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {

Average::Average(AverageOptions options) : options_(options) {
  if (!(options.decay >= 0.0 && options.decay < 1.0)) {
    throw Error(fmt::format("[average] expected a decay in [0, 1), received {}", options.decay));
  }
}

void Average::update(const std::vector<Parameter>& parameters, const Position& position) {
  if (position.fraction < options_.from) return;
  const Index count = count_up(state_);
  // Either a constant share for the newest, or an equal one for all: a <- keep a + (1 - keep) p.
  const double keep = count == 1             ? 0.0
                      : options_.decay > 0.0 ? options_.decay
                                             : 1.0 - 1.0 / static_cast<double>(count);
  for (const Parameter& parameter : parameters) {
    const Tensor& p = parameter.tensor();
    const Tensor& a = state_like(state_, parameter.name(), p);
    backend(p.device()).axpby(p.dtype(), 1.0 - keep, p.data(), keep, a.data(), p.size());
  }
}

}  // namespace basin
