#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "config/reader.h"
#include "data/readers/hdf5_rows.h"
#include "data/readers/npy.h"
#include "data/sets/sets.h"
#include "data/splits.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

FileOptions::Columns read_columns(const Config& table) {
  FileOptions::Columns columns;
  for (const std::string& name : table.keys()) columns.emplace_back(name, table.text(name));
  return columns;
}

void read(const Reader& in, DatasetOptions& options) {
  const Config& table = in.table();
  FileOptions& file = options.file;
  file.path = table.text("path", "");
  file.columns = read_columns(table.table("columns"));
  if (file.columns.empty())
    table.fail("columns", "expected a table of columns, { image = \"images.npy\", label = \"labels.npy\" }");
  file.test_path = table.text("test_path", "");
  file.test_columns = read_columns(table.table("test_columns"));
  if (file.test_path.empty() && file.test_columns.empty())
    file.test_share = in.within("test_share", 0.0, 1.0, file.test_share);
  file.categories = table.texts("categories", file.categories);
  file.classes = in.count("classes", 0, 0);
  constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
  file.memory = kMebibyte * static_cast<std::uint64_t>(
                                in.count("memory", 0, static_cast<Index>(file.memory / kMebibyte)));
}

Samples read_samples(const std::string& path, const FileOptions::Columns& columns,
                     const FileOptions& options) {
  Samples samples;
  for (const auto& [name, place] : columns) {
    const bool is_category = std::ranges::find(options.categories, name) != options.categories.end();
    const ColumnWish wish{name, !is_category ? 0 : options.classes > 0 ? options.classes : -1};
    const bool is_numpy = place.ends_with(".npy");
    samples.add(is_numpy ? read_npy((fs::path(path) / place).string(), wish)
                         : read_hdf5(path, place, wish, options.memory));
  }
  return samples;
}

/// Categories of both parts are as many as those of the part that has more; other columns must be alike.
void match(Samples& train, Samples& test) {
  if (train.columns.size() != test.columns.size())
    throw Error(
        fmt::format("[data] expected the same columns of training and test samples, received {} and {}",
                    train.columns.size(), test.columns.size()));
  for (std::size_t i = 0; i < train.columns.size(); ++i) {
    Column& own = train.columns[i];
    Column* other = nullptr;
    for (Column& column : test.columns) other = column.name() == own.name() ? &column : other;
    if (other == nullptr)
      throw Error(
          fmt::format("[data] expected a column '{}' of the test samples, as the training samples have; "
                      "name it in test_columns",
                      own.name()));
    if (own.shape() != other->shape() || own.kind() != other->kind()) {
      throw Error(
          fmt::format("[data] expected test samples of '{}' of the kind and shape {} of the training "
                      "samples, received {}",
                      own.name(), to_string(own.shape()), to_string(other->shape())));
    }
    const Index classes = std::max(own.classes(), other->classes());
    for (Column* column : {&own, other}) {
      if (column->classes() != classes)
        *column = integer_column(column->name(), column->shape(),
                                 {column->integers().begin(), column->integers().end()}, classes);
    }
  }
}

Dataset load(const CatalogEntry& entry, const DatasetOptions& options) {
  const FileOptions& file = options.file;
  if (file.columns.empty())
    throw Error(
        "[data] expected at least one column of 'file', received none; name them by columns = { ... }");
  const Samples all = read_samples(file.path, file.columns, file);
  const bool has_own_test = !file.test_path.empty() || !file.test_columns.empty();
  Parts parts{all, {}};
  if (has_own_test) {
    parts.taken = read_samples(file.test_path.empty() ? file.path : file.test_path,
                               file.test_columns.empty() ? file.columns : file.test_columns, file);
    match(parts.kept, parts.taken);
  } else {
    const auto count = static_cast<Index>(file.test_share * static_cast<double>(all.count));
    parts = take_out(all, std::min(count, all.count - 1), Key(options.seed).fold("file").fold("test"));
  }
  return {entry.name, take(parts.kept, options.train, entry.name, "train"),
          take(parts.taken, options.test, entry.name, "test")};
}

}  // namespace

CatalogEntry file_entry() {
  return {.name = "file",
          .description =
              "your own numbers, a column a dataset: HDF5 (path = \"FILE.h5\", may be larger than memory) "
              "or NumPy (.npy)",
          .needs_path = true,
          .read = read,
          .load = load};
}

}  // namespace basin
