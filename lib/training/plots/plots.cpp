#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "tensor/error.h"
#include "training/plots/plot.h"

namespace basin {

// Each in a file of its own, weights.cpp for those of a dictionary.
Draw draw_atoms, draw_patches, draw_encoder, draw_samples, draw_reconstructions, draw_nmse, draw_curves;

const std::vector<Plot>& plots() {
  static const std::vector<Plot> all = {
      {"basis", "the weights of each hidden unit", draw_atoms},
      {"samples", "fantasies: Gibbs chains from the particles of training, as mean visible states",
       draw_samples},
      {"dictionary", "the atoms, or filters, of a dictionary", draw_atoms},
      {"dictionary_unwhitened", "its atoms as they are in patches of images", draw_patches},
      {"encoder", "what each code looks for, of a dictionary beside its atoms", draw_encoder},
      {"decoder", "what each code adds to a sample", draw_atoms},
      {"reconstructions", "test samples above what the stage makes of them", draw_reconstructions},
      {"nmse", "error of recovered codes against number of iterations", draw_nmse, true},
      {"curves", "metrics over epochs, of every kind of model", draw_curves, true}};
  return all;
}

void draw(const std::string& plot, const Drawing& drawing, const StageView& view, const Store& store) {
  const auto named = [&](const Plot& one) { return one.name == plot; };
  const auto found = std::find_if(plots().begin(), plots().end(), named);
  const std::vector<std::string>& own = view.stage.plots;
  if (found == plots().end() || std::find(own.begin(), own.end(), plot) == own.end()) {
    throw Error(fmt::format("[draw] expected one of {}, received '{}'", fmt::join(own, ", "), plot));
  }
  const std::string extension = std::filesystem::path(drawing.path).extension().string();
  if (extension != ".png" && !(found->is_curve && extension == ".svg")) {
    throw Error(fmt::format("[draw] {}: expected a name that ends in .png{}", drawing.path,
                            found->is_curve ? " or .svg" : ""));
  }
  constexpr int kLeastWidth = 300;  // below it people see little
  Drawing wide = drawing;
  wide.tiles.least_width = kLeastWidth;
  found->draw(wide, view, store);
}

}  // namespace basin
