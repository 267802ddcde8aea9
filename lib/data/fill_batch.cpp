#include "data/fill_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/config.h"
#include "tensor/backend.h"
#include "tensor/cpu/draws/random_stream.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kCostWorthThreads =
    Index{1} << 17;  // in pixels copied; below, waking the pool costs more than it saves
constexpr Index kDrawCost = 6, kAugmentCost = 32;

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

/// The rows asked for, where they can be read: in the column, or gathered one after another.
struct Gathered {
  const std::byte* data;
  bool in_place;
  Index stride;  // numbers of a stored sample

  template <class From>
  const From* row(std::span<const Index> rows, Index n) const {
    const Index position = in_place ? rows[static_cast<std::size_t>(n)] : n;
    return reinterpret_cast<const From*>(data) + position * stride;
  }
};

Gathered gather(const Column& column, std::span<const Index> rows) {
  if (column.in_memory()) return {static_cast<const std::byte*>(column.data()), true, column.sample_size()};
  thread_local std::vector<std::byte> staging;
  staging.resize(rows.size() * column.row_bytes());
  column.gather(rows, staging.data());
  return {staging.data(), false, column.sample_size()};
}

/// The same samples, each distorted by its own draws.
template <class From>
Gathered augmented(const Column& column, const Gathered& from, std::span<const Index> rows,
                   const BatchOptions& options) {
  thread_local std::vector<From> distorted;
  const auto count = static_cast<Index>(rows.size());
  distorted.resize(static_cast<std::size_t>(count * from.stride));
  From* const out = distorted.data();
  const Shape image = image_shape(column.shape(), "fill_batch");
  const Key key = options.key.fold("augment");
#pragma omp parallel for schedule(static) if (count * from.stride >= kCostWorthThreads / kAugmentCost)
  for (Index n = 0; n < count; ++n) {
    augment(options.augment, image, key.fold(static_cast<std::uint64_t>(rows[static_cast<std::size_t>(n)])),
            from.row<From>(rows, n), out + n * from.stride);
  }
  return {reinterpret_cast<const std::byte*>(out), false, from.stride};
}

Gathered augmented(const Column& column, const Gathered& from, std::span<const Index> rows,
                   const BatchOptions& options) {
  if (options.augment.is_none()) return from;
  if (column.kind() == ColumnKind::Bytes) return augmented<std::uint8_t>(column, from, rows, options);
  if (column.kind() == ColumnKind::Integers) {
    throw Error(fmt::format(
        "[fill_batch] expected images to augment, received integers of '{}'; leave data.augment out",
        column.name()));
  }
  return column.dtype() == Dtype::F32 ? augmented<float>(column, from, rows, options)
                                      : augmented<double>(column, from, rows, options);
}

/// Bits of probabilities: sample n's numbers are drawn by its own words of the stream, 1 where word / 2^32 <
/// p.
template <class From, class T>
void draw_bits(const Gathered& from, std::span<const Index> rows, Index size, Key key, T* out) {
  const auto count = static_cast<Index>(rows.size());
#pragma omp parallel for schedule(static) if (count * size * kDrawCost >= kCostWorthThreads)
  for (Index n = 0; n < count; ++n) {
    std::array<std::uint32_t, kStreamChunk> words;
    const From* p = from.row<From>(rows, n);
    const Index first = rows[static_cast<std::size_t>(n)] * from.stride;
    for (Index i = 0; i < size; ++i) {
      const auto at = static_cast<std::size_t>(i) % words.size();
      if (at == 0) {
        const auto left = static_cast<std::size_t>(size - i);
        stream_words(key.bits(), static_cast<std::uint64_t>(first + i), std::min(words.size(), left),
                     words.data());
      }
      out[n * size + i] = words[at] * 0x1p-32 < static_cast<double>(p[i]) ? T{1} : T{0};
    }
  }
}

template <class From, class T>
void copy_numbers(const Gathered& from, std::span<const Index> rows, Index size, T* out) {
  const auto count = static_cast<Index>(rows.size());
#pragma omp parallel for schedule(static) if (count * size >= kCostWorthThreads)
  for (Index n = 0; n < count; ++n)
    std::transform(from.row<From>(rows, n), from.row<From>(rows, n) + size, out + n * size,
                   [](From value) { return static_cast<T>(value); });
}

template <class T>
void one_hot(const Gathered& from, std::span<const Index> rows, Index size, Index classes, T* out) {
  std::fill_n(out, static_cast<Index>(rows.size()) * size * classes, T{0});
  for (Index n = 0; n < static_cast<Index>(rows.size()); ++n) {
    const std::int32_t* index = from.row<std::int32_t>(rows, n);
    for (Index i = 0; i < size; ++i) out[(n * size + i) * classes + index[i]] = T{1};
  }
}

/// `size` numbers of each sample.
template <class T>
void scale_bytes(const Gathered& from, std::span<const Index> rows, Index size, const BatchOptions& options,
                 T* out) {
  const auto count = static_cast<Index>(rows.size());
  const int limit = threshold_byte(options.threshold);
  const Index cost = count * size * (options.scale == PixelScale::Stochastic ? kDrawCost : 1);
#pragma omp parallel for schedule(static) if (cost >= kCostWorthThreads)
  for (Index n = 0; n < count; ++n) {
    const std::uint8_t* pixels = from.row<std::uint8_t>(rows, n);
    T* to = out + n * size;
    if (options.scale == PixelScale::Stochastic) {
      draw_sample(options.key, rows[static_cast<std::size_t>(n)] * from.stride,
                  {pixels, static_cast<std::size_t>(size)}, to);
    } else if (options.scale == PixelScale::Threshold) {
      for (Index p = 0; p < size; ++p) to[p] = pixels[p] >= limit ? T{1} : T{0};
    } else {
      for (Index p = 0; p < size; ++p) to[p] = static_cast<T>(pixels[p]) / T{255};
    }
  }
}

template <class T>
void fill_host(const Column& column, std::span<const Index> rows, const BatchOptions& options, Index size,
               bool hot, T* out) {
  const Gathered from = augmented(column, gather(column, rows), rows, options);
  if (column.kind() == ColumnKind::Bytes) return scale_bytes(from, rows, size, options, out);
  if (hot) return one_hot(from, rows, size, column.classes(), out);
  if (column.kind() == ColumnKind::Integers) return copy_numbers<std::int32_t>(from, rows, size, out);
  const bool narrow = column.dtype() == Dtype::F32;
  if (options.scale == PixelScale::Stochastic) {
    return narrow ? draw_bits<float>(from, rows, size, options.key, out)
                  : draw_bits<double>(from, rows, size, options.key, out);
  }
  narrow ? copy_numbers<float>(from, rows, size, out) : copy_numbers<double>(from, rows, size, out);
}

template <class T>
void fill(const Column& column, std::span<const Index> rows, const BatchOptions& options, Index size,
          bool hot, const Tensor& out) {
  if (out.device() == Device::Cpu) {
    fill_host(column, rows, options, size, hot, out.host<T>());
    return;
  }
  thread_local std::vector<T> staging;
  staging.resize(static_cast<std::size_t>(out.size()));
  fill_host(column, rows, options, size, hot, staging.data());
  backend(out.device()).upload(out.data(), staging.data(), out.bytes());
}

/// The numbers of a sample that go into a batch.
Index numbers_of(const Column& column, Index longest) {
  const Shape& shape = column.shape();
  if (longest == 0) return column.sample_size();
  if (shape.empty() || longest < 0 || longest > shape[0]) {
    throw Error(fmt::format("[fill_batch] expected at most the {} entries of samples of {}, received {}",
                            shape.empty() ? 0 : shape[0], to_string(shape), longest));
  }
  return column.sample_size() / shape[0] * longest;
}

}  // namespace

void fill_batch(const Column& column, std::span<const Index> rows, const BatchOptions& options,
                const Tensor& out) {
  const auto count = static_cast<Index>(rows.size());
  const bool fits = out.defined() && out.rank() >= 1 && out.dim(0) == count;
  const bool hot = options.one_hot && column.classes() > 0;
  const Index size = numbers_of(column, options.longest), width = hot ? column.classes() : 1;
  if (!fits || out.size() != element_count({count, size, width})) {
    throw Error(fmt::format("[fill_batch] expected a tensor of shape [{}, {}], received {}", count,
                            size * width, out.defined() ? to_string(out.shape()) : "none"));
  }
  for (const Index row : rows) {
    if (row < 0 || row >= column.count())
      throw Error(fmt::format("[fill_batch] expected rows 0 to {}, received {}", column.count() - 1, row));
  }
  if (column.kind() == ColumnKind::Reals && options.scale == PixelScale::Threshold) {
    throw Error(
        "[fill_batch] expected bytes to compare with a threshold, received real values; use the scale "
        "\"unit\", which leaves them as they are, or \"stochastic\", which takes them for probabilities");
  }
  if (count == 0) return;
  out.dtype() == Dtype::F32 ? fill<float>(column, rows, options, size, hot, out)
                            : fill<double>(column, rows, options, size, hot, out);
}

PixelScale read_pixel_scale(const Config& table, const char* key, const std::string& fallback) {
  const std::string name = table.choice(key, {"unit", "threshold", "stochastic"}, fallback);
  return name == "unit"        ? PixelScale::Unit
         : name == "threshold" ? PixelScale::Threshold
                               : PixelScale::Stochastic;
}

}  // namespace basin
