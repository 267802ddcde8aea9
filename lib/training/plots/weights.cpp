#include <fmt/format.h>

#include <algorithm>

#include "training/dictionary.h"
#include "training/plots/images.h"
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

std::string title_of(const Drawing& drawing, const char* what) {
  return fmt::format("{}: {}{}", drawing.title, what, drawing.tiles.sort_by_norm ? ", largest first" : "");
}

void draw_tiles(const Drawing& drawing, const StageView& view, const char* what, bool as_patches = false) {
  const Picturable rows = atoms(view, as_patches);
  const TileOptions tiles = tiles_for(drawing, dictionary_of(view), rows);
  Drawing titled = drawing;
  titled.tiles.sort_by_norm = tiles.sort_by_norm;
  save_tiles(drawing, title_of(titled, what), {tile(rows.rows, tiles)}, {}, tiles);
}

}  // namespace

/// Weights of units or atoms of a dictionary, in order of norm where asked for and norms differ.
void draw_basis(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  draw_tiles(drawing, view, "weights of each hidden unit");
}

void draw_dictionary(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  draw_tiles(drawing, view, "dictionary");
}

void draw_decoder(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  draw_tiles(drawing, view, "decoder");
}

/// The same as they are in the patches that samples were made from.
void draw_patches(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  draw_tiles(drawing, view, "dictionary, as in patches before whitening", true);
}

/// The filters, beside the atoms in the same order where those have norm 1.
void draw_encoder(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  const Dictionary& dictionary = dictionary_of(view);
  const Picturable rows = filters_of(dictionary, view.preprocessing());
  const TileOptions tiles = tiles_for(drawing, dictionary, rows);
  const Picture filters = tile(rows.rows, tiles);
  if (dictionary.unit_norm) {
    save_tiles(drawing, drawing.title, {tile(atoms(view, false).rows, tiles), filters},
               {"dictionary: what each code adds", "encoder: what each code looks for"}, tiles);
  } else {
    save_tiles(drawing, drawing.title + ": encoder", {filters}, {}, tiles);
  }
}

}  // namespace basin
