#include "data/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "config/nearest.h"
#include "config/reader.h"
#include "data/sets/sets.h"
#include "data/splits.h"
#include "results/files/sha256.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

std::vector<CatalogEntry> make_catalog() {
  return {strokes_entry(),
          strings_entry(),
          mnist_entry(),
          usps_entry(),
          cifar10_entry(),
          cifar100_entry(),
          bars_and_stripes_entry(),
          shifter_entry(),
          parity_entry(),
          parabola_entry(),
          spiral_entry(),
          mixture_entry(),
          pinwheel_entry(),
          identity_entry(),
          rectangles_entry(),
          rectangle_images_entry(),
          convex_entry(),
          basic_digits_entry(),
          rotated_digits_entry(),
          noise_digits_entry(),
          image_digits_entry(),
          rotated_image_digits_entry(),
          adding_entry(),
          copy_memory_entry(),
          temporal_order_entry(),
          shakespeare_entry(),
          text_entry(),
          jsb_entry(),
          nottingham_entry(),
          piano_midi_entry(),
          sparse_signals_entry(),
          leaves_entry(),
          olshausen_entry(),
          kodak_entry(),
          images_entry(),
          file_entry()};
}

/// Every place where the file may lie, official name first.
std::vector<fs::path> places(const CatalogEntry& entry, const std::string& name) {
  std::vector<fs::path> paths;
  for (const std::string& folder : data_folders()) {
    if (!entry.folder.empty()) paths.push_back(fs::path(folder) / entry.folder / name);
    paths.push_back(fs::path(folder) / name);
  }
  return paths;
}

std::string without_gz(const std::string& name) {
  return name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name;
}

/// The validation samples that the options ask for; of a smoke run no more than a fifth.
Index validation_count(const DatasetOptions& options, Index train) {
  const double wanted =
      options.validation < 1.0 ? options.validation * static_cast<double>(train) : options.validation;
  if (!(wanted < 0x1p63)) {
    throw Error(fmt::format("[data] expected validation samples fewer than the {} there are, received {}",
                            train, wanted));
  }
  const auto count = static_cast<Index>(wanted);
  return options.few_train > 0 ? std::min(count, train / 5) : count;
}

void split(Dataset& data, const DatasetOptions& options) {
  if (options.few_train > 0) {
    const Index apart = options.validation > 0.0 ? options.few_train / 4 : 0;  // a fifth of all
    data.train = data.train.head(std::min(data.train.count, options.few_train + apart));
  }
  if (options.few_test > 0) {
    for (Samples* part : {&data.test, &data.validation})
      *part = part->head(std::min(part->count, options.few_test));
  }
  if (options.validation > 0.0) {
    const Key key = Key(options.seed).fold("validation");
    Parts parts = take_out(data.train, validation_count(options, data.train.count), key);
    data.train = std::move(parts.kept);
    data.validation = std::move(parts.taken);
  }
  if (options.labels > 0) {
    Index labels = options.labels;
    if (options.few_train > 0 && data.train.labels() != nullptr)
      labels = std::min(labels, most_labelled(data.train));
    data.labelled = draw_labelled(data.train, labels, Key(options.labels_seed).fold("labels"));
  } else if (data.train.labels() != nullptr) {
    data.labelled = data.train;
  }
}

}  // namespace

const std::vector<CatalogEntry>& catalog() {
  static const std::vector<CatalogEntry> kCatalog = make_catalog();
  return kCatalog;
}

const CatalogEntry& find_entry(const std::string& name) {
  std::vector<std::string> names;
  for (const CatalogEntry& entry : catalog()) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  throw Error(fmt::format("[data] unknown data set '{}'; {}", name, suggestion(name, names)));
}

bool is_downloadable(const CatalogEntry& entry) {
  return !entry.files.empty() &&
         std::ranges::none_of(entry.files, [](const RemoteFile& file) { return file.urls.empty(); });
}

std::vector<std::string> data_folders() {
  std::vector<std::string> folders;
  if (const char* chosen = std::getenv("BASIN_DATA"); chosen != nullptr && *chosen != '\0')
    folders.emplace_back(chosen);
  folders.emplace_back("data");
  return folders;
}

std::optional<std::string> find_file(const CatalogEntry& entry, const RemoteFile& file) {
  for (const std::string& name : {file.name, without_gz(file.name)}) {
    for (const fs::path& path : places(entry, name)) {
      std::error_code error;
      if (fs::is_regular_file(path, error)) return path.string();
    }
  }
  return std::nullopt;
}

std::string locate(const CatalogEntry& entry, const RemoteFile& file) {
  if (const auto path = find_file(entry, file)) return *path;
  const std::string advice = is_downloadable(entry)
                                 ? fmt::format(", or fetch it by 'basin data fetch {}'", entry.name)
                                 : "; " + entry.by_hand;
  throw Error(fmt::format("[data] {} of '{}' is not in {}; set BASIN_DATA to the folder that holds it{}",
                          file.name, entry.name, fmt::join(data_folders(), " or "), advice));
}

std::string verify_file(const CatalogEntry& entry, const RemoteFile& file) {
  std::string path = locate(entry, file);
  const std::string digest = sha256_file(path),
                    expected = path.ends_with(file.name) ? file.sha256 : file.unpacked_sha256;
  if (digest != expected) {
    const std::string advice =
        is_downloadable(entry)
            ? fmt::format("remove it and fetch it again by 'basin data fetch {}'", entry.name)
            : entry.by_hand;
    throw Error(fmt::format("[data] {}: its SHA-256 is {}, expected {}; {}", path, digest, expected, advice));
  }
  return path;
}

Samples take(const Samples& samples, Index wanted, const std::string& dataset, const char* split) {
  if (wanted == 0 || wanted == samples.count) return samples;
  if (wanted < 0 || wanted > samples.count) {
    throw Error(fmt::format("[{}] expected 1 to {} {} samples (0 = all), received {}", dataset, samples.count,
                            split, wanted));
  }
  return samples.head(wanted);
}

DatasetChoice read_dataset(const Config& table) {
  const Reader in(table);
  std::vector<std::string> known;
  for (const CatalogEntry& entry : catalog()) known.push_back(entry.name);
  DatasetChoice choice{.name = table.choice("name", known), .options = {}};
  DatasetOptions& options = choice.options;
  options.train = in.count("train", 0, 0);
  options.test = in.count("test", 0, 0);
  options.seed = static_cast<std::uint64_t>(in.count("seed", 0, 0, kMostSeed));
  options.validation = in.within("validation", 0.0, static_cast<double>(kMostCounted), 0.0);
  if (options.validation >= 1.0 && options.validation != std::floor(options.validation))
    table.fail("validation", "expected a share below 1 or a whole number of samples");
  constexpr std::int64_t kMebibyte = 1 << 20;
  if (table.has("import_limit")) {  // a matter of the machine, no part of an experiment that does not say it
    const std::optional<std::int64_t> bytes = checked_product({kMebibyte, in.count("import_limit", 1)});
    if (!bytes) table.fail("import_limit", "expected MiB of memory, received more than there can be");
    options.import_limit = static_cast<std::uint64_t>(*bytes);
  }
  options.labels = in.count("labels", 0, 0);
  options.labels_seed = static_cast<std::uint64_t>(in.count("labels_seed", 0, 0, kMostSeed));
  if (const CatalogEntry& entry = find_entry(choice.name); entry.read != nullptr) entry.read(in, options);
  return choice;
}

Dataset load_dataset(const std::string& name, const DatasetOptions& options) {
  const CatalogEntry& entry = find_entry(name);
  for (const Index count : {options.train, options.test, options.size, options.labels}) {
    if (count < 0) throw Error(fmt::format("[{}] expected counts >= 0, received {}", name, count));
  }
  if (entry.in_order && (options.validation > 0.0 || options.labels > 0)) {
    throw Error(fmt::format(
        "[{}] expected neither data.validation nor data.labels, for its parts are given, received "
        "{} and {}; leave them out",
        name, options.validation, options.labels));
  }
  DatasetOptions wanted = options;
  if (entry.costly && wanted.train == 0) wanted.train = options.few_train;
  Dataset data = entry.load(entry, wanted);
  split(data, options);
  return data;
}

}  // namespace basin
