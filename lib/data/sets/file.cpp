#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "config/nearest.h"
#include "config/reader.h"
#include "data/class_names.h"
#include "data/images/picture_folder.h"
#include "data/readers/csv.h"
#include "data/readers/hdf5_rows.h"
#include "data/readers/idx.h"
#include "data/readers/npy.h"
#include "data/sets/sets.h"
#include "data/splits.h"
#include "results/hdf5/trial.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

// What `columns` may name of a folder of pictures.
constexpr const char* kPixels = "pixels";
constexpr const char* kFolder = "folder";

bool is_table(const std::string& path) { return path.ends_with(".csv") || path.ends_with(".tsv"); }
bool is_archive(const std::string& path) { return path.ends_with(".npz"); }
bool is_idx(const std::string& place) {
  const std::string name = place.ends_with(".gz") ? place.substr(0, place.size() - 3) : place;
  return name.ends_with("-ubyte") || name.ends_with(".idx");
}
bool is_hdf5(const std::string& path) { return path.ends_with(".h5") || path.ends_with(".hdf5"); }

/// Of a folder of pictures: its places are "pixels" and "folder", and its path none of a file's. In a folder,
/// what is not the name of a file of arrays is meant for one of them.
bool are_pictures(const std::string& path, const FileOptions::Columns& columns) {
  if (is_table(path) || is_archive(path) || is_hdf5(path)) return false;
  std::error_code ignored;
  const bool is_folder = fs::is_directory(path, ignored);
  return std::ranges::any_of(columns, [&](const auto& column) {
    const std::string& place = column.second;
    return place == kPixels || (is_folder && !place.ends_with(".npy") && !is_idx(place));
  });
}

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// Throws Error where a key names a column that there is not, other than those that stand there by default.
void expect_columns(const Config& table, const char* key, const std::vector<std::string>& named,
                    const std::vector<std::string>& by_default, const FileOptions::Columns& columns) {
  std::vector<std::string> known;
  for (const auto& [name, place] : columns) known.push_back(name);
  for (const std::string& name : named) {
    if (!among(known, name) && !among(by_default, name))
      table.fail(key, fmt::format("expected names of data.columns, received '{}'; {}", name,
                                  suggestion(name, known)));
  }
}

FileOptions::Columns read_columns(const Config& table) {
  FileOptions::Columns columns;
  for (const std::string& name : table.keys()) columns.emplace_back(name, table.text(name));
  return columns;
}

/// [height, width], {} where it does not say.
Shape read_size(const Config& table, const char* key) {
  constexpr double kLongest = 1 << 15;
  const std::vector<double> numbers = table.numbers(key, std::vector<double>{});
  const bool fits = numbers.empty() || (numbers.size() == 2 && std::ranges::all_of(numbers, [&](double side) {
                                          return side >= 1.0 && side <= kLongest && side == std::floor(side);
                                        }));
  if (!fits) table.fail(key, fmt::format("expected [height, width] in pixels, each 1 to {}", kLongest));
  return {numbers.begin(), numbers.end()};
}

void read_table_keys(const Config& table, FileOptions& file) {
  file.header = table.boolean("header", file.header);
  const std::string separator = table.text("separator", std::string(1, file.separator));
  if (separator.size() != 1 || separator[0] == '"' || separator[0] == '\n' || separator[0] == '\r')
    table.fail("separator", "expected one character, such as \",\", \";\" or \"\\t\"");
  file.separator = separator[0];
  file.bytes = table.texts("bytes", file.bytes);
  file.integers = table.texts("integers", file.integers);
  expect_columns(table, "bytes", file.bytes, {}, file.columns);
  expect_columns(table, "integers", file.integers, FileOptions().integers, file.columns);
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
  expect_columns(table, "categories", file.categories, FileOptions().categories, file.columns);
  file.classes = in.count("classes", 0, 0);
  constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
  const auto memory =
      checked_product({kMebibyte, in.count("memory", 0, static_cast<Index>(file.memory) / kMebibyte)});
  if (!memory) table.fail("memory", "expected MiB of memory, received more than there can be");
  file.memory = static_cast<std::uint64_t>(*memory);
  if (is_table(file.path) || is_table(file.test_path)) {
    if (file.path.ends_with(".tsv")) file.separator = '\t';
    read_table_keys(table, file);
  }
  if (are_pictures(file.path, file.columns)) {
    file.resize = read_size(table, "resize");
    file.crop = read_size(table, "crop");
  }
}

/// How many categories a column has: 0: it holds none, -1: as many as there are.
Index classes_of(const std::string& name, const FileOptions& options) {
  return !among(options.categories, name) ? 0 : options.classes > 0 ? options.classes : -1;
}

Samples read_table(const std::string& path, const FileOptions::Columns& columns, const FileOptions& options,
                   ClassNames& names, const ImportLimit& limit) {
  std::vector<CsvColumn> wishes;
  for (const auto& [name, place] : columns) {
    const ColumnKind kind = among(options.bytes, name)      ? ColumnKind::Bytes
                            : among(options.integers, name) ? ColumnKind::Integers
                                                            : ColumnKind::Reals;
    wishes.push_back({name, place, kind, classes_of(name, options)});
  }
  Samples samples;
  for (Column& column :
       read_csv(path, wishes, {.separator = options.separator, .header = options.header}, names, limit))
    samples.add(std::move(column));
  return samples;
}

Samples read_pictures(const std::string& path, const FileOptions::Columns& columns,
                      const FileOptions& options, ClassNames& names, const ImportLimit& limit) {
  for (const auto& [name, place] : columns) {
    if (place != kPixels && place != kFolder)
      throw Error(fmt::format(
          "[data] {}: expected \"{}\" or \"{}\", which a folder of pictures has, received '{}' of '{}'; {}",
          path.empty() ? "." : path, kPixels, kFolder, place, name, suggestion(place, {kPixels, kFolder})));
  }
  PictureFolder folder =
      read_picture_folder(path.empty() ? "." : path, {.resize = options.resize, .crop = options.crop}, limit);
  Samples samples;
  for (const auto& [name, place] : columns) {
    if (place == kPixels) {
      samples.add(byte_column(name, folder.shape, std::move(folder.pixels)));
      continue;
    }
    if (std::ranges::find(folder.folder, -1) != folder.folder.end())
      throw Error(
          fmt::format("[data] {}: expected every picture in a subfolder, whose name is its '{}'; some lie "
                      "in the folder itself",
                      path, name));
    const auto known = names.try_emplace(name, folder.folders).first;
    std::vector<std::int32_t> labels;
    for (const std::int32_t own : folder.folder) {
      const std::string& text = folder.folders[static_cast<std::size_t>(own)];
      labels.push_back(class_of(known->second, text));
      if (labels.back() < 0)
        throw Error(
            fmt::format("[data] {}: there is no subfolder '{}' among the training samples", path, text));
    }
    const auto count = static_cast<Index>(known->second.size());
    samples.add(integer_column(name, {}, std::move(labels),
                               options.classes > 0 ? options.classes : std::max<Index>(2, count)));
  }
  return samples;
}

Samples read_samples(const std::string& path, const FileOptions::Columns& columns, const FileOptions& options,
                     ClassNames& names, const ImportLimit& limit) {
  if (is_table(path)) return read_table(path, columns, options, names, limit);
  if (are_pictures(path, columns)) return read_pictures(path, columns, options, names, limit);
  constexpr std::uint64_t kPassing = sizeof(std::int64_t) + sizeof(std::int32_t);  // of categories
  Samples samples;
  for (const auto& [name, place] : columns) {
    const ColumnWish wish{name, classes_of(name, options)};
    const std::string file = (fs::path(path) / place).string();
    if (place.ends_with(".npy")) {
      samples.add(read_npy(file, wish, limit));
    } else if (is_archive(path)) {
      samples.add(read_npz(path, place, wish, limit));
    } else if (is_idx(place)) {
      IdxArray array = read_idx(file, 0, limit);
      const Shape sample(array.shape.begin() + 1, array.shape.end());
      if (element_count(sample) == 0)
        throw Error(fmt::format("[idx] {}: expected samples of at least one number, received the shape {}",
                                file, to_string(array.shape)));
      if (wish.classes != 0)
        limit.take("[idx] " + file, 0, checked_product<std::uint64_t>({kPassing, array.bytes.size()}));
      samples.add(column_of_bytes(file, wish, sample, std::move(array.bytes)));
    } else {
      // What stays in the file is opened; its rows are met batch by batch.
      const auto read = [&, &place = place] { return read_hdf5(path, place, wish, options.memory, limit); };
      std::error_code ignored;
      if (fs::is_regular_file(path, ignored)) try_to_read(path, read, fs::file_size(path, ignored));
      samples.add(read());
    }
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

/// The file of a column, for messages.
std::string file_of(const std::string& path, const FileOptions::Columns& columns, const std::string& name) {
  for (const auto& [own, place] : columns) {
    if (own == name && (place.ends_with(".npy") || is_idx(place))) return (fs::path(path) / place).string();
  }
  return path.empty() ? "." : path;
}

void require_finite(const Samples& samples, const std::string& path, const FileOptions::Columns& columns) {
  for (const Column& column : samples.columns) {
    if (column.kind() != ColumnKind::Reals || !column.in_memory()) continue;
    const std::vector<double> numbers = column.reals().values();
    const auto bad =
        std::ranges::find_if(numbers, [](double x) { return !std::isfinite(static_cast<float>(x)); });
    if (bad == numbers.end()) continue;
    throw Error(
        fmt::format("[data] {}: expected finite numbers of f32, received {} in sample {} of '{}'; leave that "
                    "sample out, or put a number there",
                    file_of(path, columns, column.name()), *bad,
                    (bad - numbers.begin()) / column.sample_size(), column.name()));
  }
}

/// Lengths of padded sequences, which are met batch by batch and at last in the test samples.
void require_lengths(const Samples& samples, const std::string& path, const FileOptions::Columns& columns) {
  const Column* lengths = samples.find("lengths");
  const Shape& first = samples.first().shape();
  const bool is_sequence = first.size() == (samples.first().classes() > 0 ? 1u : 2u);
  if (lengths == nullptr || lengths->kind() != ColumnKind::Integers || !lengths->in_memory() || !is_sequence)
    return;
  const auto fail = [&](const std::string& received) {
    throw Error(
        fmt::format("[data] {}: expected a whole number from 1 to {} a sample as 'lengths', received {}",
                    file_of(path, columns, "lengths"), first[0], received));
  };
  if (!lengths->shape().empty()) fail("numbers of shape " + to_string(lengths->shape()));
  const auto numbers = lengths->integers();
  const auto bad = std::ranges::find_if(numbers, [&](std::int64_t n) { return n < 1 || n > first[0]; });
  if (bad != numbers.end()) fail(fmt::format("{} in sample {}", *bad, bad - numbers.begin()));
}

/// Labels that number something else (years, identities) would make classes without samples, and a model as
/// large as the largest of them.
void require_plausible(const Samples& samples, const FileOptions& options) {
  constexpr Index kFew = 10000, kForEachSample = 10;
  if (options.classes > 0) return;
  for (const Column& column : samples.columns) {
    if (among(options.categories, column.name()) &&
        column.classes() > kFew + kForEachSample * samples.count) {
      throw Error(
          fmt::format("[data] expected categories 0, 1, ... of '{}', received {} as the largest of {} "
                      "samples; number them "
                      "anew, or say how many there are by data.classes",
                      column.name(), column.classes() - 1, samples.count));
    }
  }
}

Dataset load(const CatalogEntry& entry, const DatasetOptions& options) {
  const FileOptions& file = options.file;
  if (file.columns.empty())
    throw Error(
        "[data] expected at least one column of 'file', received none; name them by columns = { ... }");
  const ImportLimit limit(options.import_limit);
  ClassNames names;
  const Samples all = read_samples(file.path, file.columns, file, names, limit);
  if (all.count == 0)
    throw Error(
        fmt::format("[data] {}: expected samples, received none", file.path.empty() ? "." : file.path));
  require_plausible(all, file);
  require_finite(all, file.path, file.columns);
  require_lengths(all, file.path, file.columns);
  const bool has_own_test = !file.test_path.empty() || !file.test_columns.empty();
  Parts parts{all, {}};
  if (has_own_test) {
    const std::string& path = file.test_path.empty() ? file.path : file.test_path;
    const FileOptions::Columns& columns = file.test_columns.empty() ? file.columns : file.test_columns;
    parts.taken = read_samples(path, columns, file, names, limit);
    require_plausible(parts.taken, file);
    require_finite(parts.taken, path, columns);
    require_lengths(parts.taken, path, columns);
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
  return {
      .name = "file",
      .description =
          "your own samples, by columns: HDF5 (may be larger than memory), NumPy (.npy, .npz), CSV, IDX, or "
          "a folder of PNG and JPEG with a subfolder a class",
      .needs_path = true,
      .read = read,
      .load = load};
}

}  // namespace basin
