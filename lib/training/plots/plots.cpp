#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "tensor/error.h"
#include "training/plots/plot.h"

namespace basin {

// Each in a file of its own, or with its kin.
Draw draw_basis, draw_dictionary, draw_decoder, draw_patches, draw_encoder, draw_samples,
    draw_reconstructions, draw_nmse, draw_curves, draw_filters, draw_feature_maps, draw_confusion,
    draw_misclassified, draw_saliency, draw_class_images, draw_features, draw_loss_surface,
    draw_energy_surface, draw_map, draw_neighbours, draw_retrieval, draw_reads, draw_chains,
    draw_autocorrelation;
CheckPlot check_samples, check_filters, check_feature_maps, check_confusion, check_misclassified,
    check_saliency, check_class_images, check_features, check_loss_surface, check_energy_surface, check_map,
    check_neighbours, check_retrieval, check_reads, check_chains;

const std::vector<Plot>& plots() {
  static const std::vector<Plot> all = {
      {.name = "basis", .about = "the weights of each hidden unit", .draw = draw_basis},
      {.name = "samples",
       .about = "what a model makes up: fantasies of Gibbs chains; piano rolls, frame by frame",
       .draw = draw_samples,
       .check = check_samples},
      {.name = "dictionary", .about = "the atoms, or filters, of a dictionary", .draw = draw_dictionary},
      {.name = "dictionary_unwhitened",
       .about = "its atoms as they are in patches of images",
       .draw = draw_patches},
      {.name = "encoder",
       .about = "what each code looks for; of a dictionary on the right, its atoms on the left",
       .draw = draw_encoder},
      {.name = "decoder", .about = "what each code adds to a sample", .draw = draw_decoder},
      {.name = "reconstructions",
       .about = "test samples (data) above what codes and encoder give back",
       .draw = draw_reconstructions},
      {.name = "filters",
       .about = "the weights of a network's first layer",
       .draw = draw_filters,
       .check = check_filters},
      {.name = "feature_maps",
       .about = "what each convolution of a network makes of a few samples",
       .draw = draw_feature_maps,
       .check = check_feature_maps},
      {.name = "confusion",
       .about = "test samples by class (row) and prediction (column)",
       .draw = draw_confusion,
       .check = check_confusion},
      {.name = "misclassified",
       .about = "the test samples that were put in a wrong class, true > predicted",
       .draw = draw_misclassified,
       .check = check_misclassified},
      {.name = "reads",
       .about = "strings with the best cuts and what is read between them",
       .draw = draw_reads,
       .check = check_reads},
      {.name = "saliency",
       .about = "test samples above |dE/dx| of their label's energy",
       .draw = draw_saliency,
       .check = check_saliency},
      {.name = "class_images",
       .about = "for each class the image of least energy",
       .draw = draw_class_images,
       .check = check_class_images},
      {.name = "features",
       .about = "for units of the last stage the image that each looks for, through all stages",
       .draw = draw_features,
       .check = check_features},
      {.name = "loss_surface",
       .about = "the loss over the plane of a model's two trained numbers",
       .draw = draw_loss_surface,
       .check = check_loss_surface},
      {.name = "energy_surface",
       .about = "the energy of samples of two numbers over their plane",
       .draw = draw_energy_surface,
       .check = check_energy_surface},
      {.name = "map",
       .about = "codes of samples in the plane, by t-SNE where they have more than two numbers",
       .draw = draw_map,
       .is_curve = true,
       .check = check_map},
      {.name = "neighbours",
       .about = "samples, and those whose codes are nearest",
       .draw = draw_neighbours,
       .check = check_neighbours},
      {.name = "retrieval",
       .about = "precision against recall of samples of the same label by their codes",
       .draw = draw_retrieval,
       .is_curve = true,
       .check = check_retrieval},
      {.name = "chains",
       .about = "the energy of a few chains, draw after draw",
       .draw = draw_chains,
       .is_curve = true,
       .check = check_chains},
      {.name = "autocorrelation",
       .about = "what the energy of a chain says of its energy some draws later",
       .draw = draw_autocorrelation,
       .is_curve = true,
       .check = check_chains},
      {.name = "nmse",
       .about = "error of recovered codes against number of iterations",
       .draw = draw_nmse,
       .is_curve = true},
      {.name = "curves",
       .about = "metrics over epochs, of every kind of model",
       .draw = draw_curves,
       .is_curve = true}};
  return all;
}

const Plot& find_plot(const std::string& plot, const Stage& stage) {
  const auto named = [&](const Plot& one) { return one.name == plot; };
  const auto found = std::find_if(plots().begin(), plots().end(), named);
  const std::vector<std::string>& own = stage.plots;
  if (found == plots().end() || std::find(own.begin(), own.end(), plot) == own.end()) {
    throw Error(fmt::format("[draw] expected one of {}, received '{}'", fmt::join(own, ", "), plot));
  }
  if (found->check != nullptr) found->check(stage);
  return *found;
}

std::vector<const Plot*> plots_of(const Stage& stage) {
  std::vector<const Plot*> drawable;
  for (const Plot& plot : plots()) {
    if (std::find(stage.plots.begin(), stage.plots.end(), plot.name) == stage.plots.end()) continue;
    try {
      drawable.push_back(&find_plot(plot.name, stage));
    } catch (const Error&) {  // it says why there is none to who asks for it
    }
  }
  return drawable;
}

void draw(const std::string& plot, const Drawing& drawing, const StageView& view, const Store& store) {
  const Plot& found = find_plot(plot, view.stage);
  const std::string extension = std::filesystem::path(drawing.path).extension().string();
  if (extension != ".png" && !(found.is_curve && extension == ".svg")) {
    throw Error(fmt::format("[draw] {}: expected a name that ends in .png{}", drawing.path,
                            found.is_curve ? " or .svg" : ""));
  }
  constexpr int kLeastWidth = 300;  // below it people see little
  Drawing wide = drawing;
  wide.tiles.least_width = kLeastWidth;
  found.draw(wide, view, store);
}

}  // namespace basin
