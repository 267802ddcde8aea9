#include "training/plots/rolls.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "results/pictures/sheet.h"
#include "training/measures/made_up.h"
#include "training/plots/images.h"

namespace basin {
namespace {

/// Keys that some roll sounds, with room for two more at both ends: [low, high).
struct Keys {
  Index low, high;

  explicit Keys(const std::vector<Roll>& rolls) {
    const Index count = rolls.front().frames.dim(1);
    low = count;
    high = 0;
    for (const Roll& roll : rolls) {
      const std::vector<double> sounds = roll.frames.values();
      for (std::size_t i = 0; i < sounds.size(); ++i) {
        if (sounds[i] == 0.0) continue;
        const Index key = static_cast<Index>(i) % count;
        low = std::min(low, key);
        high = std::max(high, key + 1);
      }
    }
    low = std::max<Index>(0, std::min(low, high) - 2);
    high = std::min(count, high + 2);
  }
};

/// [1, keys, steps], the highest key on top, 0 where one sounds; 1 behind the end.
Tensor picture_of_roll(const Tensor& frames, const Keys& keys, Index steps) {
  const std::vector<double> sounds = frames.values();
  const Index rows = keys.high - keys.low;
  std::vector<double> picture(static_cast<std::size_t>(rows * steps), 1.0);
  for (Index t = 0; t < frames.dim(0); ++t) {
    for (Index k = 0; k < rows; ++k)
      picture[static_cast<std::size_t>((rows - 1 - k) * steps + t)] =
          1.0 - sounds[static_cast<std::size_t>(t * frames.dim(1) + keys.low + k)];
  }
  return Tensor::from(picture, {1, rows, steps}, {Dtype::F32, Device::Cpu});
}

}  // namespace

std::vector<Roll> rolls(const StageView& view, const SequencePredictions& how) {
  std::vector<Roll> all;
  const Samples& samples = judged(view).samples;
  const State batch = first_samples(view, std::min(samples.count, how.sampled));
  const Value& x = batch[how.x];
  const Tensor& lengths = batch.context().lengths;
  for (Index n = 0; n < x.dim(0); ++n) {
    const Index length =
        lengths.defined() ? static_cast<Index>(lengths.values()[static_cast<std::size_t>(n)]) : x.dim(1);
    const Value frames = slice(reshape(slice(x, 0, n, n + 1), {x.dim(1), x.dim(2)}), 0, 0,
                               std::min(length, how.sampled_steps));
    all.push_back({fmt::format("data {}", n + 1), on_host(frames.tensor())});
  }
  for (Index n = 0; n < how.sampled; ++n) {
    const Key key = view.stage.key.fold("samples").fold(static_cast<std::uint64_t>(n));
    all.push_back({fmt::format("made up {}", n + 1), made_up(view.stage, how, how.sampled_steps, key)});
  }
  return all;
}

void draw_rolls(const Drawing& drawing, const StageView& view, const SequencePredictions& how) {
  const std::vector<Roll> all = rolls(view, how);
  const Keys keys(all);
  SheetPart part{.columns = 1};
  for (const Roll& roll : all) {
    const Tensor picture = picture_of_roll(roll.frames, keys, how.sampled_steps);
    const TileOptions tiles = sized({.is_signed = false}, {picture.dim(1), picture.dim(2)});
    part.pictures.push_back(small_pictures(picture, tiles).front());
    part.rows.push_back(roll.name);
  }
  save_png(sheet({part}, {.title = fmt::format("{}: time to the right, pitch up", drawing.title),
                          .zoom = drawing.tiles.zoom,
                          .least_width = drawing.tiles.least_width}),
           drawing.path);
}

}  // namespace basin
