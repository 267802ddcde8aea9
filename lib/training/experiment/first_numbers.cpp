#include "training/experiment/first_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/error.h"
#include "tensor/flags.h"

namespace basin {
namespace {

/// ", which reach 1e+37", of real numbers in memory.
std::string largest(const Column& column) {
  if (column.kind() != ColumnKind::Reals || !column.in_memory()) return "";
  double most = 0.0;
  for (const double number : column.reals().values()) most = std::max(most, std::abs(number));
  return fmt::format(", which reach {:.3g}", most);
}

}  // namespace

void expect_finite_start(const Stage& stage, const Samples& samples) {
  const std::vector<Parameter> all = stored_parameters(stage);
  Flags flags(static_cast<Index>(all.size()));
  for (std::size_t i = 0; i < all.size(); ++i)
    flags.check(static_cast<Index>(i), Check::Finite, all[i].tensor());
  const std::vector<Index> raised = flags.raised();
  if (raised.empty()) return;
  const std::string& name = all[static_cast<std::size_t>(raised.front())].name();
  throw Error(fmt::format(
      "[stages] {} of stage {} is not finite as it starts: it is computed from the samples{}, whose squares "
      "are too large for {}; scale the data, to unit variance for example",
      name, stage.name, largest(samples.first()), to_string(stage.placement.dtype)));
}

}  // namespace basin
