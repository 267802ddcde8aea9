#pragma once

#include <string>
#include <vector>

#include "results/pictures/picture.h"
#include "results/pictures/sheet.h"
#include "training/measures/measure.h"
#include "training/plots/plot.h"

namespace basin {

/// The shape of a picture, [height, width] (0: any) or [1 or 3, height, width]. Throws Error naming `who` for
/// others.
Shape picture_shape(const Shape& shape, const char* who);
/// That of the samples of a stage. Throws Error where they are no pictures, or symbols.
Shape sample_picture_shape(const Stage& stage, const char* who);

/// Samples [N, ...] as pictures: numbers in [0, 1] from black to white, real ones with 0 grey.
std::vector<Picture> sample_pictures(const Tensor& rows, const Samples& samples);

/// Samples [0, count) that the stage is judged by, as its batches are, without noise.
State first_samples(const StageView& view, Index count);

/// What people call a category of a column: its name where it has one, else its number.
std::string category_name(const Dataset& data, const std::string& column, Index category);
/// Of every category.
std::vector<std::string> category_names(const Dataset& data, const std::string& column, Index categories);
/// Of the labels of the first `count` samples; "1", "2", ... of samples without.
std::vector<std::string> label_names(const StageView& view, const Samples& samples, Index count);

/// What the grey levels of such tiles mean.
GreyScale grey_scale(const TileOptions& tiles);
/// Saves pictures of tiles beside each other, of one size, each with what it shows below it.
void save_tiles(const Drawing& drawing, const std::string& title, std::vector<Picture> pictures,
                std::vector<std::string> captions, const TileOptions& tiles);

}  // namespace basin
