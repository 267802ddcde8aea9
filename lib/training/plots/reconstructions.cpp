#include "training/plots/reconstructions.h"

#include <algorithm>

#include "autograd/ops.h"
#include "training/dictionary.h"
#include "training/measures/measure.h"
#include "training/plots/images.h"
#include "training/walk.h"

namespace basin {
namespace {

/// Samples and their reconstructions by encoder and decoder.
std::vector<Reconstructions::Row> in_one_pass(const Stage& stage, const State& batch) {
  if (!stage.encoder || !stage.decoder) {
    refuse_facet("reconstructions", Reconstructions::kWhat, stage.kind);
  }
  const Value x = flatten(batch[stage.inputs.at(0).variable]);
  return {{"data", x}, {"codes", flatten(stage.decoder->forward(stage.encoder->forward(x)))}};
}

}  // namespace

/// A row of the samples that the stage is judged by, and rows of what becomes of them; as patches.
void draw_reconstructions(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  const Stage& stage = view.stage;
  const auto* own = stage.facets.get<Reconstructions>();
  const Index shown = own != nullptr ? own->shown : Reconstructions{}.shown;
  const Dataset& data = view.data();
  const Samples& samples = judged(view).samples;
  const Source source = stage_source(stage, samples);
  const Key key = stage.key.fold("draw");
  const State batch = samples_between(source, 0, std::min(source.count(), shown), key);
  SheetPart part{.columns = static_cast<int>(batch.batch())};
  std::vector<Value> all;
  for (const auto& [name, row] : own != nullptr ? own->rows(batch, key) : in_one_pass(stage, batch)) {
    part.rows.push_back(name);
    all.push_back(row);
  }
  Value rows = concat(all, 0).detached();
  Shape pixels = patch_shape(data.preprocessing, stage.inputs.at(0).variable.shape);
  if (pixels.size() == 3 && rows.rank() == 2)
    rows = reshape(rows, {rows.dim(0), pixels[0], pixels[1], pixels[2]});
  if (rows.rank() == 4) rows = slice(rows, 1, 0, 1);  // the first channel of images
  if (pixels.size() == 3) pixels.erase(pixels.begin());

  TileOptions tiles = sized(drawing.tiles, pixels);
  tiles.sort_by_norm = false;
  tiles.is_signed = samples.is_real();
  const Tensor pictures = patches_of_samples(data.preprocessing, on_host(rows.tensor()));
  if (tiles.is_signed) {  // what is said of a sample is drawn in the sample's own grey levels
    share_grey_levels(pictures, batch.batch());
    tiles.scale = TileScale::Global;
  }
  part.pictures = small_pictures(pictures, tiles);
  const GreyScale scale = tiles.is_signed
                              ? GreyScale{.black = "-", .grey = "the largest of each sample", .white = "+"}
                              : grey_scale(tiles);
  save_png(sheet({part}, {.title = drawing.title + ": reconstructions",
                          .scale = scale,
                          .zoom = tiles.zoom,
                          .side = 0,
                          .least_width = tiles.least_width}),
           drawing.path);
}

}  // namespace basin
