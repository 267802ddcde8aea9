#include "training/everywhere.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "config/article.h"
#include "config/reader.h"
#include "models/conv_encoder.h"
#include "models/patchwise.h"
#include "tensor/error.h"
#include "training/dictionary.h"

namespace basin {
namespace {

/// Weights [K, C size size] of patches of several maps as parts of images, [K, C, size, size].
std::function<Tensor()> as_parts(std::function<Tensor()> rows, const Shape& patch) {
  if (!rows) return {};
  return [rows = std::move(rows), patch] {
    const Tensor all = rows();
    return all.reshaped({all.dim(0), patch[0], patch[1], patch[2]});
  };
}

}  // namespace

std::optional<PatchTable> read_patches(const Config& stage) {
  // No part of an experiment that does not say it.
  if (!stage.has("patches")) return {};
  const Reader in(stage.table("patches"));
  return PatchTable{.size = in.count("size", 1),
                    .stride = in.count("stride", 1, 1),
                    .count = in.count("count", 1, 100'000)};
}

Shape shape_of_patch(const PatchTable& patches, const Shape& whole) {
  const bool is_map = (whole.size() == 2 || whole.size() == 3) && std::ranges::min(whole) > 0;
  if (!is_map || patches.size > std::min(whole.end()[-2], whole.end()[-1])) {
    throw Error(fmt::format(
        "[patches] expected samples [height, width] or [channels, height, width] of at least {0} x "
        "{0}, the patches.size, received {1}; lower patches.size, or leave patches out",
        patches.size, to_string(whole)));
  }
  Shape shape = whole;
  shape.end()[-2] = shape.end()[-1] = patches.size;
  return shape;
}

void use_everywhere(Stage& stage, const PatchTable& patches, const Shape& whole, Fuse fuse) {
  if (!stage.encoder || stage.inputs.size() != 1 || stage.batches) {
    throw Error(fmt::format(
        "[patches] expected a stage that makes codes of samples alone, received {}; leave patches out",
        with_article(stage.kind)));
  }
  Everywhere own{.patches = patches, .whole = whole, .encoder = stage.encoder};
  const bool is_convolution = dynamic_cast<const ConvEncoder*>(stage.encoder.get()) != nullptr;
  if (is_convolution && patches.stride != 1) {
    throw Error(
        fmt::format("[patches] expected patches.stride = 1 of {}, whose encoder is a convolution, "
                    "received {}",
                    with_article(stage.kind), patches.stride));
  }
  if (!is_convolution) {
    const auto encoder = std::make_shared<const Patchwise>(
        stage.encoder, std::array{patches.size, patches.size},
        PatchwiseOptions{.stride = {patches.stride, patches.stride}, .fuse = fuse});
    if (encoder->fuses()) stage.rules.emplace_back("patches");
    own.encoder = encoder;
  }
  const Shape patch = shape_of_patch(patches, whole);
  const auto* dictionary = stage.facets.get<Dictionary>();
  if (dictionary != nullptr && dictionary->of_samples && patch.size() == 3) {
    Dictionary parts = *dictionary;
    parts.atoms = as_parts(dictionary->atoms, patch);
    parts.filters = as_parts(dictionary->filters, patch);
    parts.of_samples = false;
    parts.shape = {patch[1], patch[2]};
    stage.facets.set(std::move(parts));
  }
  stage.pictures = {};
  stage.facets.set(std::move(own));
}

const std::shared_ptr<const Module>& passed_on(const Stage& stage) {
  const auto* own = stage.facets.get<Everywhere>();
  return own != nullptr ? own->encoder : stage.encoder;
}

Variable whole_variable(const Stage& stage) {
  Variable x = stage.inputs.at(0).variable;
  if (const auto* own = stage.facets.get<Everywhere>()) x.shape = own->whole;
  return x;
}

Source whole_means(const Stage& stage, const Samples& samples) {
  Stage whole = stage;
  whole.inputs.at(0).variable = whole_variable(stage);
  return stage_means(whole, samples);
}

void refuse_patches(const char* who, const std::vector<Stage>& stages) {
  for (const Stage& stage : stages) {
    if (stage.facets.get<Everywhere>() == nullptr) continue;
    throw Error(
        fmt::format("[{}] expected stages of whole samples, received {} ({}), which learns from patches; "
                    "leave its patches out, or take another head",
                    who, stage.name, stage.kind));
  }
}

}  // namespace basin
