#include "training/plots/weights.h"

#include <algorithm>

#include "training/dictionary.h"
#include "training/pictures.h"

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

/// The elements of a stage; the preprocessing is asked for where they are no pictures themselves.
Picturable elements(const StageView& view, bool as_patches) {
  const Dictionary& dictionary = dictionary_of(view);
  const bool direct = !as_patches && dictionary.shape.size() == 2;
  return elements_of(dictionary, direct ? Preprocessing{} : view.preprocessing(), as_patches);
}

void draw_elements(const Drawing& drawing, const StageView& view, bool as_patches) {
  const Picturable rows = elements(view, as_patches);
  save_png(tile(rows.rows, tiles_for(drawing, dictionary_of(view), rows)), drawing.path);
}

void draw_as_samples(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  draw_elements(drawing, view, false);
}

void draw_as_patches(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  draw_elements(drawing, view, true);
}

void draw_encoder(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  const Dictionary& dictionary = dictionary_of(view);
  const Picturable rows = filters_of(dictionary, view.preprocessing());
  const TileOptions tiles = tiles_for(drawing, dictionary, rows);
  const Picture filters = tile(rows.rows, tiles);
  save_png(dictionary.unit_norm ? beside(tile(elements(view, false).rows, tiles), filters) : filters,
           drawing.path);
}

}  // namespace

Plot basis_plot() { return {"basis", "the weights of each hidden unit", draw_as_samples}; }

Plot decoder_plot() { return {"decoder", "what each code adds to a sample", draw_as_samples}; }

Plot dictionary_plot() {
  return {"dictionary", "the elements, or filters, of a dictionary", draw_as_samples};
}

Plot dictionary_unwhitened_plot() {
  return {"dictionary_unwhitened", "its elements as they are in patches of images", draw_as_patches};
}

Plot encoder_plot() {
  return {"encoder", "what each code looks for, of a dictionary beside its elements", draw_encoder};
}

}  // namespace basin
