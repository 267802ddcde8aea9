#include "training/experiment/cut_patches.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "data/draws.h"
#include "models/room.h"
#include "training/everywhere.h"
#include "training/experiment/encode.h"

namespace basin {
namespace {

struct Place {
  Index sample = 0, row = 0, column = 0;
};

Place drawn_place(Key key, Index samples, Index rows, Index columns) {
  Draws draws(key);
  const auto below = [&](Index count) {
    return static_cast<Index>(draws.below(static_cast<std::uint32_t>(count)));
  };
  const Index sample = below(samples), row = below(rows);
  return {sample, row, below(columns)};
}

/// The square at a place of one map stack [C, H, W].
template <class T>
void cut(const T* maps, const Shape& whole, Index size, const Place& place, T* patch) {
  const Index height = whole.end()[-2], width = whole.end()[-1], channels = whole.size() == 3 ? whole[0] : 1;
  for (Index c = 0; c < channels; ++c) {
    for (Index y = 0; y < size; ++y)
      patch = std::copy_n(maps + (c * height + place.row + y) * width + place.column, size, patch);
  }
}

/// Patches of one part of a data set.
class Cutter {
 public:
  Cutter(std::span<const Stage> stages, const Samples& samples)
      : stage_(stages.back()),
        own_(need<Everywhere>(stages.back(), "cut_patches")),
        encoding_(stages, stages.size() - 1, samples),
        samples_(samples.count) {}

  Tensor patches(Index count, Key key) const {
    const Shape& whole = own_.whole;
    const Index size = own_.patches.size;
    Shape shape = shape_of_patch(own_.patches, whole);
    shape.insert(shape.begin(), count);
    require_room(fmt::format("[patches] patches.count = {} of stage {}", count, stage_.name),
                 static_cast<double>(element_count(shape)), stage_.placement);
    std::vector<Place> places(static_cast<std::size_t>(count));
    for (Index i = 0; i < count; ++i) {
      places[static_cast<std::size_t>(i)] =
          drawn_place(key.fold(static_cast<std::uint64_t>(i)), samples_, whole.end()[-2] - size + 1,
                      whole.end()[-1] - size + 1);
    }
    const Tensor out(shape, {stage_.placement.dtype, Device::Cpu});
    if (out.dtype() == Dtype::F32)
      fill<float>(places, out);
    else
      fill<double>(places, out);
    return out;
  }

 private:
  /// Patch by patch in the order of the samples, of which as many go through the stages as fit together.
  template <class T>
  void fill(const std::vector<Place>& places, const Tensor& out) const {
    std::vector<std::size_t> order(places.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return places[i].sample; });
    const Index numbers = out.size() / out.dim(0), whole = element_count(own_.whole);
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      std::vector<Index> rows;
      for (end = begin; end < order.size(); ++end) {
        const Index sample = places[order[end]].sample;
        if (!rows.empty() && rows.back() == sample) continue;
        if (static_cast<Index>(rows.size()) == encoding_.together()) break;
        rows.push_back(sample);
      }
      const Tensor codes = encoding_.codes(rows).to(out.placement());
      for (std::size_t k = begin, row = 0; k < end; ++k) {
        const Place& place = places[order[k]];
        if (rows[row] != place.sample) ++row;
        cut(codes.host<T>() + static_cast<Index>(row) * whole, own_.whole, own_.patches.size, place,
            out.host<T>() + static_cast<Index>(order[k]) * numbers);
      }
    }
  }

  const Stage& stage_;
  const Everywhere& own_;
  Encoding encoding_;
  Index samples_;
};

}  // namespace

Dataset cut_patches(std::span<const Stage> stages, const Dataset& data) {
  const Stage& stage = stages.back();
  const Index count = need<Everywhere>(stage, "cut_patches").patches.count;
  const auto part = [&](const Samples& samples, const char* name, Index wanted) {
    if (samples.count == 0) return Samples{};
    return Samples{
        real_column("patch", Cutter(stages, samples).patches(wanted, stage.key.fold("patches").fold(name)))};
  };
  const Index tenth = std::max<Index>(1, count / 10);
  return {.name = data.name,
          .train = part(data.train, "train", count),
          .test = part(data.test, "test", tenth),
          .validation = part(data.validation, "validation", tenth)};
}

}  // namespace basin
