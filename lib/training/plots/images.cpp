#include "training/plots/images.h"

#include <fmt/format.h>

#include "tensor/error.h"
#include "training/walk.h"

namespace basin {

Shape picture_shape(const Shape& shape, const char* who) {
  const bool is_picture = shape.size() == 2 || (shape.size() == 3 && (shape[0] == 1 || shape[0] == 3));
  if (is_picture) return shape;
  throw Error(
      fmt::format("[{}] expected pictures, [height, width] or [1 or 3, height, width], received numbers of "
                  "shape {}; take another plot",
                  who, to_string(shape)));
}

Shape sample_picture_shape(const Stage& stage, const char* who) {
  const Variable& x = stage.inputs.at(0).variable;
  if (x.domain == Domain::Categorical)
    throw Error(
        fmt::format("[{}] expected samples that are pictures, received symbols; take another plot", who));
  return picture_shape(x.shape, who);
}

std::vector<Picture> sample_pictures(const Tensor& rows, const Samples& samples) {
  const Shape shape(rows.shape().begin() + 1, rows.shape().end());
  return small_pictures(on_host(rows), sized({.is_signed = samples.is_real()}, shape));
}

State first_samples(const StageView& view, Index count) {
  const State batch =
      samples_between(stage_source(view.stage, judged(view).samples), 0, count, view.stage.key.fold("draw"));
  return State(batch).in(batch.context().with({}));
}

std::string category_name(const Dataset& data, const std::string& column, Index category) {
  const auto names = data.class_names.find(column);
  const bool has_name =
      names != data.class_names.end() && category < static_cast<Index>(names->second.size());
  return has_name ? names->second[static_cast<std::size_t>(category)] : std::to_string(category);
}

std::vector<std::string> category_names(const Dataset& data, const std::string& column, Index categories) {
  std::vector<std::string> names;
  for (Index k = 0; k < categories; ++k) names.push_back(category_name(data, column, k));
  return names;
}

std::vector<std::string> label_names(const StageView& view, const Samples& samples, Index count) {
  const Column* labels = samples.labels();
  std::vector<std::string> names;
  for (Index n = 0; n < count; ++n) {
    names.push_back(labels == nullptr ? std::to_string(n + 1)
                                      : category_name(view.data(), labels->name(),
                                                      labels->integers()[static_cast<std::size_t>(n)]));
  }
  return names;
}

GreyScale grey_scale(const TileOptions& tiles) {
  if (!tiles.is_signed) return {.black = "0", .white = "1"};
  const char* of = tiles.scale == TileScale::PerTile ? "largest of each tile" : "largest of all";
  return {.black = "-", .grey = fmt::format("the {}; zero is grey", of), .white = "+"};
}

void save_tiles(const Drawing& drawing, const std::string& title, std::vector<Picture> pictures,
                std::vector<std::string> captions, const TileOptions& tiles) {
  SheetPart part{.pictures = std::move(pictures), .captions = std::move(captions)};
  part.columns = static_cast<int>(part.pictures.size());
  save_png(sheet({part}, {.title = title, .scale = grey_scale(tiles), .least_width = tiles.least_width}),
           drawing.path);
}

}  // namespace basin
