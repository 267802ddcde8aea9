#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "tensor/backend.h"
#include "tensor/cpu/random_stream.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kCostWorthThreads =
    Index{1} << 17;  // in pixels copied; below, waking the pool costs more than it saves
constexpr Index kDrawCost = 6;

/// The smallest byte with byte / 255 >= threshold; 256 when there is none (a threshold that is not a number
/// too).
int threshold_byte(double threshold) {
  int byte = 0;
  while (byte < 256 && !(byte / 255.0 >= threshold)) ++byte;
  return byte;
}

/// One sample drawn by its own words of the stream: 1 where the word is at most the byte repeated four times,
/// and the byte is not 0.
template <class T>
void draw_sample(Key key, Index first, std::span<const std::uint8_t> pixels, T* out) {
  std::array<std::uint32_t, kStreamChunk> words;
  for (std::size_t done = 0; done < pixels.size(); done += words.size()) {
    const std::size_t count = std::min(words.size(), pixels.size() - done);
    stream_words(key.bits(), static_cast<std::uint64_t>(first) + done, count, words.data());
    const std::uint8_t* bytes = pixels.data() + done;
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_set = std::max(words[i], 1u) <=
                          bytes[i] * 0x01010101u;  // no word counts as 0, so that the byte 0 never wins
      out[done + i] = is_set ? T{1} : T{0};
    }
  }
}

template <class T>
void gather_reals(const Samples& samples, std::span<const Index> rows, T* out) {
  const Index count = static_cast<Index>(rows.size()), size = samples.sample_size();
  const float* values = samples.values.host<float>();
#pragma omp parallel for schedule(static) if (count * size >= kCostWorthThreads)
  for (Index n = 0; n < count; ++n)
    std::copy_n(values + rows[static_cast<std::size_t>(n)] * size, size, out + n * size);
}

template <class T>
void fill_host(const Samples& samples, std::span<const Index> rows, const BatchOptions& options, T* out) {
  if (samples.is_real()) return gather_reals(samples, rows, out);
  const Index count = static_cast<Index>(rows.size()), size = samples.sample_size();
  const int limit = threshold_byte(options.threshold);
  const Index cost = count * size * (options.scale == PixelScale::Stochastic ? kDrawCost : 1);
#pragma omp parallel for schedule(static) if (cost >= kCostWorthThreads)
  for (Index n = 0; n < count; ++n) {
    const Index first = rows[static_cast<std::size_t>(n)] * size;
    const std::uint8_t* pixels = samples.pixels.data() + first;
    T* to = out + n * size;
    if (options.scale == PixelScale::Stochastic) {
      draw_sample(options.key, first, {pixels, static_cast<std::size_t>(size)}, to);
    } else if (options.scale == PixelScale::Threshold) {
      for (Index p = 0; p < size; ++p) to[p] = pixels[p] >= limit ? T{1} : T{0};
    } else {
      for (Index p = 0; p < size; ++p) to[p] = static_cast<T>(pixels[p]) / T{255};
    }
  }
}

template <class T>
void fill(const Samples& samples, std::span<const Index> rows, const BatchOptions& options,
          const Tensor& out) {
  if (out.device() == Device::Cpu) {
    fill_host(samples, rows, options, out.host<T>());
    return;
  }
  thread_local std::vector<T> staging;
  staging.resize(static_cast<std::size_t>(out.size()));
  fill_host(samples, rows, options, staging.data());
  backend(out.device()).upload(out.data(), staging.data(), out.bytes());
}

}  // namespace

Samples Samples::head(Index n) const {
  if (n < 0 || n > count)
    throw Error(fmt::format("[samples] expected to take 0 to {} samples, received {}", count, n));
  Samples first{.shape = shape, .count = n, .pixels = {}, .labels = {}, .classes = classes};
  if (is_real()) {
    first.values = values.rows(0, n);
  } else {
    first.pixels.assign(pixels.begin(), pixels.begin() + n * sample_size());
  }
  if (!labels.empty()) first.labels.assign(labels.begin(), labels.begin() + n);
  return first;
}

void fill_batch(const Samples& samples, std::span<const Index> rows, const BatchOptions& options,
                const Tensor& out) {
  const Index count = static_cast<Index>(rows.size());
  if (!out.defined() || out.rank() < 1 || out.dim(0) != count ||
      out.size() != count * samples.sample_size()) {
    throw Error(fmt::format("[fill_batch] expected a tensor of shape [{}, {}], received {}", count,
                            samples.sample_size(), out.defined() ? to_string(out.shape()) : "none"));
  }
  for (const Index row : rows) {
    if (row < 0 || row >= samples.count)
      throw Error(fmt::format("[fill_batch] expected rows 0 to {}, received {}", samples.count - 1, row));
  }
  if (samples.is_real() && options.scale != PixelScale::Unit) {
    throw Error(
        "[fill_batch] expected bytes to make bits of, received real values; use the scale \"unit\", which "
        "leaves them as they are");
  }
  if (count == 0) return;
  out.dtype() == Dtype::F32 ? fill<float>(samples, rows, options, out)
                            : fill<double>(samples, rows, options, out);
}

double best_log_likelihood(const Samples& samples) {
  if (samples.is_real()) throw Error("[best_log_likelihood] expected samples of bytes, received real values");
  const auto size = static_cast<std::size_t>(samples.sample_size());
  std::vector<Index> order(static_cast<std::size_t>(samples.count));
  std::iota(order.begin(), order.end(), Index{0});
  const auto sample = [&](Index n) {
    return std::span(samples.pixels).subspan(static_cast<std::size_t>(n) * size, size);
  };
  std::sort(order.begin(), order.end(),
            [&](Index a, Index b) { return std::ranges::lexicographical_compare(sample(a), sample(b)); });
  double sum = 0.0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && std::ranges::equal(sample(order[begin]), sample(order[end]))) ++end;
    const auto equal = static_cast<double>(end - begin);
    sum += equal * std::log(equal / static_cast<double>(order.size()));
  }
  return order.empty() ? 0.0 : sum / static_cast<double>(order.size());
}

}  // namespace basin
