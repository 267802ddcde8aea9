#include "models/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/sequences/segments.h"
#include "models/layers.h"
#include "models/room.h"
#include "modules/activation.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/sequences/segment_columns.h"
#include "tensor/error.h"

namespace basin {

ReaderModel reader(const ReaderOptions& options) {
  const std::vector<Layer> layers = read_layers(options.layers, options.image);
  const Shape maps = layers.empty() ? options.image : layers.back().out;
  const Index width = options.image.back(), cuts = maps.back();
  if (options.image.size() != 3 || maps.size() != 3 || width % cuts != 0)
    throw Error(fmt::format(
        "[reader] expected images [1, H, W] and layers that end in maps [C, H', T] with T a divisor of W, "
        "received {} and {}; pad convolutions and pool by whole strides",
        to_string(options.image), to_string(maps)));
  ReaderModel model;
  model.stride = width / cuts;
  const SegmentColumns columns(cuts, {.longest = options.longest, .parts = options.parts});
  const Index seen = columns.size_of(maps[0] * maps[1]);
  require_room(fmt::format("[reader] hidden = {}", options.hidden),
               static_cast<double>(options.hidden) * static_cast<double>(seen + options.labels),
               options.placement);
  Sequential scores;
  const auto linear = [&](Index in, Index out, const char* name) {
    return Linear(in, out, options.key.fold(name), {.placement = options.placement});
  };
  scores.add(build_layers(layers, options.key.fold("layers"), options.placement))
      .add(columns)
      .add(linear(seen, options.hidden, "hidden"))
      .add(Activation(Activation::Kind::Relu))
      .add(linear(options.hidden, options.labels, "scores"));
  if (options.normalised) scores.add(Function([](const Value& x, const Context&) { return log_softmax(x); }));
  model.scores = std::make_shared<const Sequential>(std::move(scores));
  model.image = model.graph.real("image", options.image);
  model.label = model.graph.categorical("label", {options.most, options.labels + 1});
  model.segments = model.graph.binary("segments", {cuts, options.longest});
  model.graph.add(Segments(model.label, model.segments, model.scores, model.image, {.stride = model.stride}));
  return model;
}

Tensor segments_of(const ReaderModel& model, const Tensor& ends) {
  const Index rows = ends.dim(0), cuts = model.segments.shape[0], longest = model.segments.shape[1];
  const std::vector<double> pixels = ends.values();
  const auto most = static_cast<std::size_t>(ends.dim(1));
  std::vector<double> made(static_cast<std::size_t>(rows * cuts * longest), 0.0);
  for (std::size_t n = 0; n < static_cast<std::size_t>(rows); ++n) {
    Index before = 0;
    for (std::size_t i = 0; i < most && pixels[n * most + i] > 0.0; ++i) {
      // The string's end is at the first cut behind its last pixel, as Segments has it.
      const bool is_last = i + 1 == most || pixels[n * most + i + 1] <= 0.0;
      const double place = pixels[n * most + i] / static_cast<double>(model.stride);
      const auto end = static_cast<Index>(is_last ? std::ceil(place) : std::floor(place + 0.5));
      if (end <= before || end - before > longest || end > cuts)
        throw Error(
            fmt::format("[reader] expected characters of 1 to {} stretches of {} pixels, received character "
                        "{} of row {} from "
                        "stretch {} to {}; take more of them, or other strings",
                        longest, model.stride, i, n, before, end));
      made[(n * static_cast<std::size_t>(cuts) + static_cast<std::size_t>(end - 1)) *
               static_cast<std::size_t>(longest) +
           static_cast<std::size_t>(end - before - 1)] = 1.0;
      before = end;
    }
  }
  return Tensor::from(made, batched(model.segments, rows), ends.placement());
}

}  // namespace basin
