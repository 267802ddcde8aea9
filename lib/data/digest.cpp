#include "data/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "results/files/sha256.h"

namespace basin {
namespace {

void feed(Sha256& sha, const Column& column) {
  constexpr Index kRows = 4096;
  sha.update(fmt::format("column {} kind {} dtype {} shape {} classes {} count {}\n", column.name(),
                         static_cast<int>(column.kind()), static_cast<int>(column.dtype()),
                         to_string(column.shape()), column.classes(), column.count()));
  std::vector<std::byte> bytes;
  std::vector<Index> rows;
  for (Index first = 0; first < column.count(); first += kRows) {
    rows.resize(static_cast<std::size_t>(std::min(kRows, column.count() - first)));
    std::iota(rows.begin(), rows.end(), first);
    bytes.resize(rows.size() * column.row_bytes());
    column.gather(rows, bytes.data());
    sha.update(bytes.data(), bytes.size());
  }
}

void feed(Sha256& sha, const std::string& name, const Samples& samples) {
  sha.update(fmt::format("part {} of {}\n", name, samples.count));
  for (const Column& column : samples.columns) feed(sha, column);
}

}  // namespace

std::string digest(const Samples& samples) {
  Sha256 sha;
  feed(sha, "alone", samples);
  return sha.hex();
}

std::string digest(const Dataset& data) {
  Sha256 sha;
  sha.update("basin data " + data.name + "\n");
  for (const auto& [name, samples] : {std::pair{"train", &data.train}, std::pair{"test", &data.test},
                                      std::pair{"validation", &data.validation}}) {
    feed(sha, name, *samples);
  }
  return sha.hex();
}

}  // namespace basin
