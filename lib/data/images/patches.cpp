#include "data/images/patches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/images/crops.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

struct Split {
  ImageStack train, test;
};

Split split(const ImageStack& images) {
  constexpr std::size_t kEvery = 5, kFirst = 2;
  if (images.size() == 1) {
    const Image& image = images.front();
    const Index rows = image.pixels.dim(0), cut = rows - rows / 5;
    return {{{image.name + ", upper part", image.pixels.rows(0, cut)}},
            {{image.name + ", lowest fifth", image.pixels.rows(cut, rows)}}};
  }
  Split parts;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const bool is_test = images.size() == 2 ? i == 1 : i % kEvery == kFirst;
    (is_test ? parts.test : parts.train).push_back(images[i]);
  }
  return parts;
}

ImageStack normalised(const ImageStack& images, const PatchOptions& options) {
  if (options.contrast != ContrastNorm::Local) return images;
  ImageStack result = images;
  local_contrast(images.front().pixels.rows(0, 1),
                 {.window = options.window});  // throws here what it would in a thread
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i].pixels = local_contrast(images[i].pixels, {.window = options.window});
  return result;
}

double mean_square(const Tensor& values) {
  double sum = 0.0;
  for (Index i = 0; i < values.size(); ++i)
    sum += static_cast<double>(values.host<float>()[i]) * static_cast<double>(values.host<float>()[i]);
  return sum / static_cast<double>(std::max<Index>(1, values.size()));
}

void multiply(const Tensor& values, double factor) {
  for (Index i = 0; i < values.size(); ++i) values.host<float>()[i] *= static_cast<float>(factor);
}

void check(const PatchOptions& options, Index train, Index test) {
  const bool fits = options.size >= 2 && options.margin.value_or(0) >= 0 && options.least_variance >= 0.0 &&
                    options.contrast_floor >= 0.0 && options.epsilon >= 0.0 && options.dimensions >= 0 &&
                    train >= 0 && test >= 0;
  if (!fits) {
    throw Error(
        fmt::format("[patches] expected a size of at least 2 and no negative number, received size {}, "
                    "margin {}, least_variance {}, "
                    "contrast_floor {}, epsilon {}, dimensions {}, train {}, test {}",
                    options.size, options.margin.value_or(0), options.least_variance, options.contrast_floor,
                    options.epsilon, options.dimensions, train, test));
  }
}

}  // namespace

Dataset patch_dataset(const std::string& name, const ImageStack& images, Key key, Index train, Index test,
                      const PatchOptions& options, const ImportLimit& limit) {
  constexpr Index kPatches = 50'000, kNumbers = kPatches * 12 * 12;
  check(options, train, test);
  if (images.empty()) throw Error("[patches] expected images, received none");
  const Index train_count =
      train > 0
          ? train
          : std::clamp<Index>(kNumbers / checked_product({options.size, options.size}).value_or(kNumbers), 1,
                              kPatches);
  const Index test_count = test > 0 ? test : std::max<Index>(1, train_count / 5);
  const CropOptions crop{
      .size = options.size, .margin = options.margin.value_or(0), .least_variance = options.least_variance};
  const Split parts = split(normalised(images, options));
  Tensor train_values = crops(parts.train, key.fold("train"), train_count, crop, limit);
  Tensor test_values = crops(parts.test, key.fold("test"), test_count, crop, limit);
  Preprocessing preprocessing{.pixels = {options.size, options.size}, .whitening = {}, .scale = 1.0};
  for (const Tensor& values : {train_values, test_values}) {
    if (options.remove_mean) remove_means(values);
  }
  if (options.contrast == ContrastNorm::Patch) {
    const double floor = options.contrast_floor * mean_variance(train_values);
    for (const Tensor& values : {train_values, test_values}) normalise_contrasts(values, floor);
  }
  if (options.whiten != Whiten::None) {
    const WhiteningKind kind = options.whiten == Whiten::Pca ? WhiteningKind::Pca : WhiteningKind::Zca;
    preprocessing.whitening = fit_whitening(
        train_values, {.kind = kind, .dimensions = options.dimensions, .epsilon = options.epsilon});
    for (Tensor* values : {&train_values, &test_values}) {
      const Tensor white = whiten(preprocessing.whitening, *values);
      *values = options.whiten == Whiten::Pca ? white : white.reshaped(values->shape());
    }
  }
  if (options.unit_variance) {
    const double square = mean_square(train_values);
    if (!(square > 0.0))
      throw Error(
          fmt::format("[patches] {}: all patches are flat; expected images with something in them", name));
    preprocessing.scale = 1.0 / std::sqrt(square);
    for (const Tensor& values : {train_values, test_values}) multiply(values, preprocessing.scale);
  }
  return {name, {real_column("image", train_values)}, {real_column("image", test_values)}, preprocessing};
}

}  // namespace basin
