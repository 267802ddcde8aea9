#include "data/sets/counts.h"

#include <fmt/format.h>

#include <utility>

#include "data/import_limit.h"
#include "tensor/checked.h"

namespace basin {

Counts::Counts(const CatalogEntry& entry, const DatasetOptions& options, Index all_train, Index all_test,
               std::uint64_t bytes, std::uint64_t passing)
    : train(options.train == 0 ? all_train : options.train),
      test(options.test == 0 ? all_test : options.test) {
  const ImportLimit limit(options.import_limit);
  for (const auto& [part, count] : {std::pair{"train", train}, std::pair{"test", test}}) {
    const auto samples = static_cast<std::uint64_t>(count);
    limit.take(fmt::format("[{}] data.{} = {} samples", entry.name, part, count),
               checked_product({samples, bytes}), checked_product({samples, passing}));
  }
}

}  // namespace basin
