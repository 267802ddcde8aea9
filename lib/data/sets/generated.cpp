#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "config/reader.h"
#include "data/generators/bars_and_stripes.h"
#include "data/generators/identity.h"
#include "data/generators/parabola.h"
#include "data/generators/parity.h"
#include "data/generators/shifter.h"
#include "data/generators/sparse_signals.h"
#include "data/generators/strokes.h"
#include "data/import_limit.h"
#include "data/sets/counts.h"
#include "data/sets/sets.h"
#include "tensor/checked.h"

namespace basin {
namespace {

void read_size(const Reader& in, DatasetOptions& options) { options.size = in.count("size", 0, 0); }

Dataset load_strokes(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("strokes");
  const Counts counts(entry, options, 20'000, 4'000, 28 * 28 + sizeof(std::int32_t));
  return {entry.name, strokes(key.fold("train"), 0, counts.train), strokes(key.fold("test"), 0, counts.test)};
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
  constexpr Index kMostBits = 4096;  // shifter() refuses more
  const std::uint64_t bytes =
      2 * static_cast<std::uint64_t>(std::min(bits, kMostBits)) + sizeof(std::int32_t);
  const Counts counts(entry, options, 10'000, 2'000, bytes);
  return {entry.name, shifter(key.fold("train"), counts.train, bits),
          shifter(key.fold("test"), counts.test, bits)};
}

Dataset load_sparse_signals(const CatalogEntry& entry, const DatasetOptions& options) {
  // A sample is m measurements of 2 m codes (f32); the dictionary is drawn in f64.
  const auto m = static_cast<std::uint64_t>(options.size == 0 ? 250 : options.size);
  ImportLimit(options.import_limit)
      .take(fmt::format("[{}] data.size = {}", entry.name, options.size),
            checked_product<std::uint64_t>({2, sizeof(float) + sizeof(double), m, m}));
  const Counts counts(entry, options, 6'400, 1'000, sizeof(float) * m, sizeof(Index) + 2 * sizeof(float) * m);
  const SparseSignals signals = sparse_signals(options.seed, options.size);
  const auto split = [&](const char* name, Index count) {
    std::vector<Index> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), Index{0});
    return Samples{real_column("signal", signals.batch(rows, signals.key().fold(name)).y)};
  };
  return {entry.name, split("train", counts.train), split("test", counts.test)};
}

Dataset load_parity(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("parity");
  const Index bits = options.size == 0 ? 8 : options.size;
  constexpr Index kMostBits = 4096;  // parity() refuses more
  const Counts counts(entry, options, 10'000, 2'000,
                      static_cast<std::uint64_t>(std::min(bits, kMostBits)) + sizeof(std::int32_t));
  return {entry.name, parity(key.fold("train"), counts.train, bits),
          parity(key.fold("test"), counts.test, bits)};
}

Dataset load_parabola(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("parabola");
  const Counts counts(entry, options, 10'000, 2'000, 2 * sizeof(float));
  return {entry.name, parabola(key.fold("train"), counts.train), parabola(key.fold("test"), counts.test)};
}

Dataset load_identity(const CatalogEntry& entry, const DatasetOptions& options) {
  const Counts counts(entry, options, 2, 2, 2 * sizeof(float));
  return {entry.name, identity(counts.train), identity(counts.test)};
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

CatalogEntry parity_entry() {
  return {.name = "parity",
          .description =
              "8 random bits and whether an odd number of them is set; embedded, any number of samples",
          .read = read_size,
          .load = load_parity};
}

CatalogEntry parabola_entry() {
  return {.name = "parabola",
          .description =
              "points of the plane with y2 = y1^2 (LeCun et al. 2006); embedded, any number of samples",
          .load = load_parabola};
}

CatalogEntry identity_entry() {
  return {.name = "identity",
          .description =
              "numbers from -1/2 to 1/2, evenly, that are their own targets; embedded, 2 samples or as many "
              "as asked for, test = train",
          .load = load_identity};
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
