#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tensor/error.h"
#include "training/plots/curves.h"
#include "training/plots/nmse.h"
#include "training/plots/plot.h"
#include "training/plots/reconstructions.h"
#include "training/plots/samples.h"
#include "training/plots/weights.h"

namespace basin {

const std::vector<Plot>& plots() {
  static const std::vector<Plot> all = {
      basis_plot(),   samples_plot(), dictionary_plot(),      dictionary_unwhitened_plot(),
      encoder_plot(), decoder_plot(), reconstructions_plot(), nmse_plot(),
      curves_plot()};
  return all;
}

void draw(const std::string& plot, const Drawing& drawing, const StageView& view, const Store& store) {
  const auto named = [&](const Plot& one) { return one.name == plot; };
  const auto found = std::find_if(plots().begin(), plots().end(), named);
  const std::vector<std::string>& own = view.stage.plots;
  if (found == plots().end() || std::find(own.begin(), own.end(), plot) == own.end()) {
    throw Error(fmt::format("[draw] expected one of {}, received '{}'", fmt::join(own, ", "), plot));
  }
  found->draw(drawing, view, store);
}

}  // namespace basin
