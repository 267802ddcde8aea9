#include <algorithm>

#include "training/dictionary.h"
#include "training/plots/plot.h"

namespace basin {
namespace {

const Dictionary& dictionary_of(const StageView& view) { return need<Dictionary>(view.stage, "draw"); }

TileOptions tiles_for(const Drawing& drawing, const Dictionary& dictionary, const Picturable& rows) {
  constexpr int kLeastZoom = 4;  // parts of images are small
  TileOptions tiles = sized(drawing.tiles, rows.pixels);
  if (dictionary.unit_norm) tiles.sort_by_norm = false;
  if (!dictionary.of_samples) tiles.zoom = std::max(tiles.zoom, kLeastZoom);
  return tiles;
}

/// The atoms of a stage; the preprocessing is asked for where they are no pictures themselves.
Picturable atoms(const StageView& view, bool as_patches) {
  const Dictionary& dictionary = dictionary_of(view);
  const bool direct = !as_patches && dictionary.shape.size() == 2;
  return atoms_of(dictionary, direct ? Preprocessing{} : view.preprocessing(), as_patches);
}

void draw_tiles(const Drawing& drawing, const StageView& view, bool as_patches) {
  const Picturable rows = atoms(view, as_patches);
  save_png(tile(rows.rows, tiles_for(drawing, dictionary_of(view), rows)), drawing.path);
}

}  // namespace

/// Weights of units or atoms of a dictionary, in order of norm where asked for and norms differ.
void draw_atoms(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  draw_tiles(drawing, view, false);
}

/// The same as they are in the patches that samples were made from.
void draw_patches(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  draw_tiles(drawing, view, true);
}

/// The filters, beside the atoms in the same order where those have norm 1.
void draw_encoder(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  const Dictionary& dictionary = dictionary_of(view);
  const Picturable rows = filters_of(dictionary, view.preprocessing());
  const TileOptions tiles = tiles_for(drawing, dictionary, rows);
  const Picture filters = tile(rows.rows, tiles);
  save_png(dictionary.unit_norm ? beside(tile(atoms(view, false).rows, tiles), filters) : filters,
           drawing.path);
}

}  // namespace basin
