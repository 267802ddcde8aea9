#pragma once

#include <functional>
#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "results/pictures/picture.h"
#include "tensor/error.h"
#include "training/stage_view.h"

namespace basin {

/// A picture to draw.
struct Drawing {
  std::string path;        // the file to write
  TileOptions tiles = {};  // as people asked for; a plot sets the size of a tile and whether zero is mid-grey
  std::string title = {};  // of curves, like what follows
  std::string metric = {};  // those that begin with it; "": the most telling one there is
  bool log_y = false;
};

/// There is nothing that a picture could show: no reason for a run to fail.
class NothingToDraw : public Error {
 public:
  using Error::Error;
};

using Draw = void(const Drawing& drawing, const StageView& view, const Store& store);

/// Throws Error that says why there is no such picture of a stage, where that is known before it is trained.
using CheckPlot = void(const Stage& stage);

/// One kind of picture. Each asks the stage for the facets it needs, and throws Error where there are none.
struct Plot {
  std::string name;
  std::string about;  // one line for people
  Draw* draw;
  bool is_curve = false;       // drawn as .svg, too
  CheckPlot* check = nullptr;  // null: every stage that has it by name can be drawn
};

/// All there are, in the order people are told of them: plots.cpp.
const std::vector<Plot>& plots();

/// One of a stage's plots, by name. Throws Error naming those it has, and as its check does.
const Plot& find_plot(const std::string& plot, const Stage& stage);
/// Those of a stage's plots that can be drawn of it.
std::vector<const Plot*> plots_of(const Stage& stage);

/// Draws one of a stage's plots. Throws Error naming those it has.
void draw(const std::string& plot, const Drawing& drawing, const StageView& view, const Store& store);

}  // namespace basin
