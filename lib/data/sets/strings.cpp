#include "data/generators/strings.h"

#include <algorithm>

#include "config/reader.h"
#include "data/sets/counts.h"
#include "data/sets/sets.h"

namespace basin {
namespace {

constexpr Index kLongest = 5, kMost = 16;

Dataset load_strings(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("strings");
  const Index longest = options.length == 0 ? kLongest : options.length;
  const Index known = std::clamp<Index>(longest, 2, kMost);  // strings() refuses others
  const Counts counts(entry, options, 4'000, 1'000,
                      static_cast<std::uint64_t>(kStringHeight * string_width(known)) +
                          sizeof(std::int32_t) * static_cast<std::uint64_t>(2 * known + 2));
  return {entry.name, strings(key.fold("train"), counts.train, longest),
          strings(key.fold("test"), counts.test, longest)};
}

}  // namespace

CatalogEntry strings_entry() {
  return {.name = "strings",
          .description =
              "2 to 5 digits of 'strokes' side by side and overlapping, 20 pixels high, with where they end; "
              "embedded, any number of samples",
          .read = [](const Reader& in,
                     DatasetOptions& options) { options.length = in.count("longest", 2, kLongest, kMost); },
          .load = load_strings};
}

}  // namespace basin
