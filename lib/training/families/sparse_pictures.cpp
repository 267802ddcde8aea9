#include "training/families/sparse_pictures.h"

#include <fmt/format.h>

#include <vector>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "training/pictures.h"

namespace basin {
namespace {

/// The shape of a patch: of the samples themselves where nothing was done to them.
Shape patch_shape(const Preprocessing& preprocessing, const Shape& sample_shape) {
  return preprocessing.is_identity() ? sample_shape : preprocessing.pixels;
}

}  // namespace

Picturable picturable(const Psd& model, const Preprocessing& preprocessing, bool as_patches) {
  const Tensor rows = on_host(model.decoder->weight().value());
  if (!as_patches && model.y.shape.size() == 2) {
    return {rows, model.y.shape};
  }
  return {patches_of_elements(preprocessing, rows), patch_shape(preprocessing, model.y.shape)};
}

void draw_elements(const Drawing& drawing, const Psd& model, const DataSupply& data) {
  const bool beside_encoder = drawing.plot == "encoder";
  if (drawing.plot != "dictionary" && drawing.plot != "dictionary_unwhitened" &&
      !(beside_encoder && model.encoder)) {
    throw Error(
        fmt::format("[draw] expected dictionary, dictionary_unwhitened, reconstructions{}, received '{}'",
                    model.encoder ? " or encoder" : "", drawing.plot));
  }
  const bool unwhitened = drawing.plot == "dictionary_unwhitened";
  const bool as_patches = unwhitened || model.y.shape.size() != 2;
  const Preprocessing preprocessing = as_patches ? data.preprocessing() : Preprocessing{};
  const Picturable rows = picturable(model, preprocessing, as_patches);
  TileOptions tiles = sized(drawing.tiles, rows.pixels);
  tiles.sort_by_norm =
      false;  // all elements have norm 1, and the encoder's filters stand where their elements do
  const Picture elements = tile(rows.rows, tiles);
  if (!beside_encoder) {
    save_png(elements, drawing.path);
    return;
  }
  const Value filters = transpose(model.encoder->weight().value().detached(), {1, 0});
  save_png(beside(elements, tile(patches_of_filters(preprocessing, on_host(filters)), tiles)), drawing.path);
}

Preprocessing layer_pictures(const Psd& model, const Preprocessing& below) {
  const Tensor elements = patches_of_elements(below, on_host(model.decoder->weight().value()));
  const Tensor filters =
      patches_of_filters(below, on_host(transpose(model.encoder->weight().value().detached(), {1, 0})));
  const Index codes = elements.dim(0), size = elements.size() / codes;
  return {.pixels = patch_shape(below, model.y.shape),
          .whitening = {.mean = Tensor::zeros({size}),
                        .forward = filters.reshaped({codes, size}),
                        .inverse = transpose(Value(elements.reshaped({codes, size})), {1, 0}).tensor()}};
}

void draw_reconstructions(const Drawing& drawing, const Psd& model, const State& batch, const Value& z,
                          const Dataset& data) {
  TileOptions tiles = sized(drawing.tiles, patch_shape(data.preprocessing, model.y.shape));
  tiles.sort_by_norm = false;
  tiles.is_signed = data.test.is_real();
  tiles.columns = static_cast<int>(batch.batch());
  std::vector<Value> rows{flatten(batch[model.y]), model.decoder->forward(z)};
  if (model.encoder) {
    rows.push_back(model.decoder->forward(model.encoder->forward(batch[model.y])));
  }
  const Tensor pictures = patches_of_samples(data.preprocessing, on_host(concat(rows, 0).detached()));
  if (tiles.is_signed) {  // what is said of a sample is drawn in the sample's own grey levels
    share_grey_levels(pictures, batch.batch());
    tiles.scale = TileScale::Global;
  }
  save_png(tile(pictures, tiles), drawing.path);
}

}  // namespace basin
