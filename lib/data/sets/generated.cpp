#include <numeric>
#include <vector>

#include "config/reader.h"
#include "data/generators/bars_and_stripes.h"
#include "data/generators/shifter.h"
#include "data/generators/sparse_signals.h"
#include "data/generators/strokes.h"
#include "data/sets/sets.h"

namespace basin {
namespace {

void read_size(const Reader& in, DatasetOptions& options) { options.size = in.count("size", 0, 0); }

Dataset load_strokes(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("strokes");
  return {entry.name, strokes(key.fold("train"), 0, options.train == 0 ? 20'000 : options.train),
          strokes(key.fold("test"), 0, options.test == 0 ? 4'000 : options.test)};
}

Dataset load_bars_and_stripes(const CatalogEntry& entry, const DatasetOptions& options) {
  const Samples all = bars_and_stripes(
      {.side = options.size == 0 ? 4 : options.size, .count_plain_twice = options.count_plain_twice});
  return {entry.name, take(all, options.train, entry.name, "train"),
          take(all, options.test, entry.name, "test")};
}

Dataset load_shifter(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("shifter");
  const Index bits = options.size == 0 ? 8 : options.size;
  return {entry.name, shifter(key.fold("train"), options.train == 0 ? 10'000 : options.train, bits),
          shifter(key.fold("test"), options.test == 0 ? 2'000 : options.test, bits)};
}

Dataset load_sparse_signals(const CatalogEntry& entry, const DatasetOptions& options) {
  const SparseSignals signals = sparse_signals(options.seed, options.size);
  const auto split = [&](const char* name, Index count) {
    std::vector<Index> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), Index{0});
    return Samples{real_column("signal", signals.batch(rows, signals.key().fold(name)).y)};
  };
  return {entry.name, split("train", options.train == 0 ? 6'400 : options.train),
          split("test", options.test == 0 ? 1'000 : options.test)};
}

}  // namespace

CatalogEntry strokes_entry() {
  return {.name = "strokes",
          .description =
              "digits 0-9 drawn from stroke skeletons, 28 x 28 grey, 10 classes; embedded, any number "
              "of samples",
          .load = load_strokes};
}

CatalogEntry bars_and_stripes_entry() {
  return {
      .name = "bars_and_stripes",
      .description =
          "every 4 x 4 pattern of whole columns or whole rows, binary; embedded, 30 samples, test = train",
      .read =
          [](const Reader& in, DatasetOptions& options) {
            read_size(in, options);
            options.count_plain_twice = in.table().boolean("count_plain_twice", false);
          },
      .load = load_bars_and_stripes};
}

CatalogEntry shifter_entry() {
  return {.name = "shifter",
          .description =
              "a random row of 8 bits and its copy shifted left, not or right, binary, 3 classes; "
              "embedded, any number of samples",
          .read = read_size,
          .load = load_shifter};
}

CatalogEntry sparse_signals_entry() {
  return {.name = "sparse_signals",
          .description =
              "measurements y = A x of sparse codes x, A 250 x 500 random (compressed sensing); "
              "embedded, any number of samples",
          .read = read_size,
          .load = load_sparse_signals};
}

}  // namespace basin
