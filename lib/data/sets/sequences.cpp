#include <fmt/format.h>

#include <algorithm>

#include "config/reader.h"
#include "data/generators/adding.h"
#include "data/generators/copy_memory.h"
#include "data/generators/temporal_order.h"
#include "data/sets/counts.h"
#include "data/sets/sets.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kTrain = 20'000, kTest = 2'000, kLongest = 1'000'000;

/// options.length, or `usual` where it is 0.
Index length_of(const CatalogEntry& entry, const DatasetOptions& options, Index usual) {
  if (options.length < 0 || options.length > kLongest) {
    throw Error(fmt::format("[{}] expected a length or delay of at most {}, received {}", entry.name,
                            kLongest, options.length));
  }
  return options.length == 0 ? usual : options.length;
}

Dataset load_adding(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("adding");
  const Index length = length_of(entry, options, 200);
  const Counts counts(entry, options, kTrain, kTest,
                      sizeof(float) * (2 * static_cast<std::uint64_t>(length) + 1));
  Dataset data{entry.name, adding(key.fold("train"), counts.train, length),
               adding(key.fold("test"), counts.test, length)};
  data.has_sequences = true;
  return data;
}

Dataset load_copy_memory(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("copy_memory");
  const Index delay = length_of(entry, options, 30);
  const auto entries = static_cast<std::uint64_t>(delay + 2 * kCopiedSymbols);
  const Counts counts(entry, options, kTrain, kTest, 2 * sizeof(std::int32_t) * entries);
  return {entry.name, copy_memory(key.fold("train"), counts.train, delay),
          copy_memory(key.fold("test"), counts.test, delay)};
}

Dataset load_temporal_order(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("temporal_order");
  const Counts counts(entry, options, kTrain, kTest, sizeof(std::int32_t) * 112);
  return {entry.name, temporal_order(key.fold("train"), counts.train),
          temporal_order(key.fold("test"), counts.test)};
}

}  // namespace

CatalogEntry adding_entry() {
  return {.name = "adding",
          .description =
              "of 200 numbers two are marked, and their sum is asked for; embedded, any number of samples",
          .read = [](const Reader& in,
                     DatasetOptions& options) { options.length = in.count("length", 2, 200, kLongest); },
          .load = load_adding};
}

CatalogEntry copy_memory_entry() {
  return {.name = "copy_memory",
          .description = "ten symbols to repeat after a delay of 30; embedded, any number of samples",
          .read = [](const Reader& in,
                     DatasetOptions& options) { options.length = in.count("delay", 1, 30, kLongest); },
          .load = load_copy_memory};
}

CatalogEntry temporal_order_entry() {
  return {
      .name = "temporal_order",
      .description =
          "the order of three signs among 100 to 110 symbols, 8 classes (Hochreiter, Schmidhuber 1997, 6b); "
          "embedded, any number of samples",
      .load = load_temporal_order};
}

}  // namespace basin
