#include "data/generators/plane.h"

#include "data/sets/counts.h"
#include "data/sets/sets.h"

namespace basin {
namespace {

template <class Make>
Dataset load_points(const CatalogEntry& entry, const DatasetOptions& options, Make make) {
  const Key key = Key(options.seed).fold(entry.name);
  const Counts counts(entry, options, 10'000, 2'000, 2 * sizeof(float));
  return {entry.name, make(key.fold("train"), counts.train), make(key.fold("test"), counts.test)};
}

}  // namespace

CatalogEntry spiral_entry() {
  return {.name = "spiral",
          .description = "points of the plane along a spiral of one and a half turns; embedded, any number",
          .load = [](const CatalogEntry& entry, const DatasetOptions& options) {
            return load_points(entry, options, spiral);
          }};
}

CatalogEntry mixture_entry() {
  return {.name = "mixture",
          .description = "points of the plane from eight Gaussians on a circle; embedded, any number",
          .load = [](const CatalogEntry& entry, const DatasetOptions& options) {
            return load_points(entry, options, gaussian_mixture);
          }};
}

CatalogEntry pinwheel_entry() {
  return {.name = "pinwheel",
          .description = "points of the plane on five bent blades; embedded, any number",
          .load = [](const CatalogEntry& entry, const DatasetOptions& options) {
            return load_points(entry, options, pinwheel);
          }};
}

}  // namespace basin
