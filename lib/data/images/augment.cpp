#include "data/images/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <type_traits>
#include <vector>

#include "config/reader.h"
#include "data/draws.h"
#include "tensor/cpu/draws/random_stream.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Where the pixels of one row come from, and the numbers on the way there; kept from call to call.
struct Workspace {
  std::vector<float> noise, smoothed, ex, ey;  // [height, width]
  std::vector<float> kernel;
  std::vector<float> padded;  // [height + 3, width + 3]: the image, a row and column of 0 before, two behind
  std::vector<float> row;     // [width + 2 radius]
};

void fill_kernel(double sigma, std::vector<float>& kernel) {
  const auto radius = static_cast<Index>(std::ceil(3.0 * sigma));
  kernel.resize(static_cast<std::size_t>(2 * radius + 1));
  double sum = 0.0;
  const auto weight = [&](Index k) { return std::exp(-0.5 * static_cast<double>(k * k) / (sigma * sigma)); };
  for (Index k = -radius; k <= radius; ++k) sum += weight(k);
  for (Index k = -radius; k <= radius; ++k)
    kernel[static_cast<std::size_t>(k + radius)] = static_cast<float>(weight(k) / sum);
}

/// Uniform numbers in -most .. most, then smoothed along both axes; nothing lies beyond the edges.
void smooth_noise(Key key, Index height, Index width, float most, Workspace& work, std::vector<float>& out) {
  const auto size = static_cast<std::size_t>(height * width);
  const auto taps = static_cast<Index>(work.kernel.size()), radius = taps / 2;
  work.noise.resize(size);
  std::array<std::uint32_t, kStreamChunk> words;
  for (std::size_t done = 0; done < size; done += words.size()) {
    const std::size_t count = std::min(words.size(), size - done);
    stream_words(key.bits(), done, count, words.data());
    for (std::size_t i = 0; i < count; ++i)
      work.noise[done + i] = static_cast<float>(static_cast<std::int32_t>(words[i])) * (most * 0x1p-31f);
  }
  work.smoothed.assign(size, 0.0f);
  work.row.assign(static_cast<std::size_t>(width + 2 * radius), 0.0f);
  for (Index y = 0; y < height; ++y) {
    std::copy_n(work.noise.data() + y * width, width, work.row.data() + radius);
    float* to = work.smoothed.data() + y * width;
    for (Index k = 0; k < taps; ++k) {
      const float weight = work.kernel[static_cast<std::size_t>(k)], *from = work.row.data() + k;
      for (Index x = 0; x < width; ++x) to[x] += weight * from[x];
    }
  }
  out.assign(size, 0.0f);
  for (Index y = 0; y < height; ++y) {
    float* to = out.data() + y * width;
    for (Index other = std::max<Index>(0, y - radius); other <= std::min(height - 1, y + radius); ++other) {
      const float weight = work.kernel[static_cast<std::size_t>(other - y + radius)];
      const float* from = work.smoothed.data() + other * width;
      for (Index x = 0; x < width; ++x) to[x] += weight * from[x];
    }
  }
}

/// The straight part: pixel p of the result comes from middle + matrix (p - middle - shift).
struct Straight {
  float xx = 1.0f, xy = 0.0f, yx = 0.0f, yy = 1.0f, shift_x = 0.0f, shift_y = 0.0f;
};

Straight draw_straight(const Augmentation& how, Key key) {
  Draws draws(key.fold("straight"));
  const auto around = [&](double most) {
    return draws.uniform(static_cast<float>(-most), static_cast<float>(most));
  };
  Straight straight;
  straight.shift_x = around(how.shift);
  straight.shift_y = around(how.shift);
  const float angle = around(how.rotate) * std::numbers::pi_v<float> / 180.0f;
  const float width = 1.0f + around(how.scale), height = 1.0f + around(how.scale);
  const auto whole = [&] {
    return static_cast<float>(draws.below(static_cast<std::uint32_t>(2 * how.crop + 1))) -
           static_cast<float>(how.crop);
  };
  straight.shift_x += whole();
  straight.shift_y += whole();
  const float mirror = how.flip && draws.below(2) == 1 ? -1.0f : 1.0f;
  const float cosine = std::cos(angle), sine = std::sin(angle);
  straight.xx = mirror * cosine / width;
  straight.xy = mirror * sine / width;
  straight.yx = -sine / height;
  straight.yy = cosine / height;
  return straight;
}

template <class T>
T from_float(float value) {
  if constexpr (std::is_same_v<T, std::uint8_t>) return static_cast<T>(value + 0.5f);
  return static_cast<T>(value);
}

}  // namespace

template <class T>
void augment(const Augmentation& how, const Shape& image, Key key, const T* in, T* out) {
  thread_local Workspace work;
  const Index channels = image[0], height = image[1], width = image[2];
  const Straight straight = draw_straight(how, key);
  const bool is_elastic = how.elastic > 0.0;
  if (is_elastic) {
    fill_kernel(how.sigma, work.kernel);
    const auto most = static_cast<float>(how.elastic);
    smooth_noise(key.fold("elastic x"), height, width, most, work, work.ex);
    smooth_noise(key.fold("elastic y"), height, width, most, work, work.ey);
  }
  const Index stride = width + 3;
  const float middle_x = 0.5f * static_cast<float>(width - 1),
              middle_y = 0.5f * static_cast<float>(height - 1);
  const auto last_x = static_cast<float>(width), last_y = static_cast<float>(height);
  for (Index c = 0; c < channels; ++c) {
    work.padded.assign(static_cast<std::size_t>((height + 3) * stride), 0.0f);
    for (Index y = 0; y < height; ++y) {
      std::transform(in + (c * height + y) * width, in + (c * height + y + 1) * width,
                     work.padded.data() + (y + 1) * stride + 1,
                     [](T value) { return static_cast<float>(value); });
    }
    for (Index y = 0; y < height; ++y) {
      T* to = out + (c * height + y) * width;
      const float* ex = is_elastic ? work.ex.data() + y * width : nullptr;
      const float* ey = is_elastic ? work.ey.data() + y * width : nullptr;
      const float v0 = static_cast<float>(y) - middle_y - straight.shift_y;
      for (Index x = 0; x < width; ++x) {
        const float u = static_cast<float>(x) - middle_x - straight.shift_x + (is_elastic ? ex[x] : 0.0f);
        const float v = v0 + (is_elastic ? ey[x] : 0.0f);
        const float from_x = std::clamp(middle_x + straight.xx * u + straight.xy * v, -1.0f, last_x);
        const float from_y = std::clamp(middle_y + straight.yx * u + straight.yy * v, -1.0f, last_y);
        // One to the right of what lies in the padded image, so that whole numbers are rounded down.
        const auto column = static_cast<std::int32_t>(from_x + 1.0f),
                   line = static_cast<std::int32_t>(from_y + 1.0f);
        const float right = from_x + 1.0f - static_cast<float>(column),
                    below = from_y + 1.0f - static_cast<float>(line);
        const float* corner = work.padded.data() + line * static_cast<std::int32_t>(stride) + column;
        const float upper = corner[0] + right * (corner[1] - corner[0]);
        const float lower = corner[stride] + right * (corner[stride + 1] - corner[stride]);
        to[x] = from_float<T>(upper + below * (lower - upper));
      }
    }
  }
}

template void augment(const Augmentation&, const Shape&, Key, const std::uint8_t*, std::uint8_t*);
template void augment(const Augmentation&, const Shape&, Key, const float*, float*);
template void augment(const Augmentation&, const Shape&, Key, const double*, double*);

Shape image_shape(const Shape& sample, const char* who) {
  const bool fits =
      (sample.size() == 2 || sample.size() == 3) && sample.back() > 1 && sample[sample.size() - 2] > 1;
  if (!fits) {
    throw Error(fmt::format(
        "[{}] expected images, [height, width] or [channels, height, width], received samples of {}; "
        "leave data.augment out",
        who, to_string(sample)));
  }
  return sample.size() == 3 ? sample : Shape{1, sample[0], sample[1]};
}

Augmentation read_augmentation(const Config& table) {
  constexpr double kMostPixels = 1000.0;
  const Reader in(table);
  Augmentation how;
  how.shift = in.within("shift", 0.0, kMostPixels, how.shift);
  how.rotate = in.within("rotate", 0.0, 180.0, how.rotate);
  how.scale = in.within("scale", 0.0, 0.9, how.scale);
  how.elastic = in.within("elastic", 0.0, kMostPixels, how.elastic);
  how.sigma = in.within("sigma", 0.5, 100.0, how.sigma);
  how.flip = table.boolean("flip", how.flip);
  how.crop = in.count("crop", 0, how.crop, static_cast<Index>(kMostPixels));
  return how;
}

}  // namespace basin
