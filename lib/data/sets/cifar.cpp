#include "data/readers/cifar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "config/reader.h"
#include "data/sets/sets.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kBatches = 5;

std::string batch_name(Index batch) { return fmt::format("data_batch_{}.bin.gz", batch); }

void read_batches(const Reader& in, DatasetOptions& options) {
  if (!in.table().has("batches")) return;
  for (const double number : in.table().numbers("batches")) {
    if (!(number >= 1.0 && number <= kBatches && number == std::floor(number)))
      in.table().fail("batches", fmt::format("expected some of 1 to {}, received {}", kBatches, number));
    const auto batch = static_cast<Index>(number);
    if (std::ranges::find(options.batches, batch) != options.batches.end())
      in.table().fail("batches", fmt::format("expected batches that differ, received {} twice", batch));
    options.batches.push_back(batch);
  }
}

/// The files of the batches asked for, else of those that are there.
std::vector<std::string> training_files(const CatalogEntry& entry, const DatasetOptions& options) {
  std::vector<std::string> paths;
  for (const Index batch : options.batches) paths.push_back(locate(entry, {.name = batch_name(batch)}));
  if (!paths.empty()) return paths;
  for (Index batch = 1; batch <= kBatches; ++batch) {
    if (const auto path = find_file(entry, {.name = batch_name(batch)})) paths.push_back(*path);
  }
  return paths.empty() ? std::vector{locate(entry, {.name = batch_name(1)})} : paths;
}

Dataset load(const CatalogEntry& entry, const DatasetOptions& options, const std::vector<std::string>& train,
             const std::string& test, const std::vector<CifarLabel>& labels, ClassNames names) {
  const ImportLimit limit(options.import_limit);
  Dataset data{entry.name, take(read_cifar(train, labels, limit), options.train, entry.name, "train"),
               take(read_cifar(std::vector{test}, labels, limit), options.test, entry.name, "test")};
  data.class_names = std::move(names);
  return data;
}

Dataset load_10(const CatalogEntry& entry, const DatasetOptions& options) {
  const std::vector<std::string> train = training_files(entry, options);
  const auto whole = find_file(entry, {.name = "test_batch.bin.gz"}),
             part = find_file(entry, {.name = "test_batch_first1000.bin.gz"});
  const std::string test = whole ? *whole : part ? *part : locate(entry, {.name = "test_batch.bin.gz"});
  return load(entry, options, train, test, {{"label", 10}},
              {{"label",
                {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}}});
}

const std::vector<std::string>& fine_names() {
  static const std::vector<std::string> kNames = {
      "apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
      "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
      "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
      "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
      "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
      "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
      "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
      "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
      "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
      "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
      "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
      "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
      "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
      "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
      "table",       "tank",          "telephone", "television", "tiger",        "tractor",
      "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
      "willow_tree", "wolf",          "woman",     "worm"};
  return kNames;
}

const std::vector<std::string>& coarse_names() {
  static const std::vector<std::string> kNames = {"aquatic_mammals",
                                                  "fish",
                                                  "flowers",
                                                  "food_containers",
                                                  "fruit_and_vegetables",
                                                  "household_electrical_devices",
                                                  "household_furniture",
                                                  "insects",
                                                  "large_carnivores",
                                                  "large_man-made_outdoor_things",
                                                  "large_natural_outdoor_scenes",
                                                  "large_omnivores_and_herbivores",
                                                  "medium_mammals",
                                                  "non-insect_invertebrates",
                                                  "people",
                                                  "reptiles",
                                                  "small_mammals",
                                                  "trees",
                                                  "vehicles_1",
                                                  "vehicles_2"};
  return kNames;
}

Dataset load_100(const CatalogEntry& entry, const DatasetOptions& options) {
  return load(entry, options, {locate(entry, {.name = "train.bin.gz"})},
              locate(entry, {.name = "test.bin.gz"}), {{"coarse", 20}, {"label", 100}},
              {{"label", fine_names()}, {"coarse", coarse_names()}});
}

constexpr const char* kByHand =
    "basin does not unpack the archive; take the binary version from cs.toronto.edu/~kriz/cifar.html and put "
    "its .bin files there";

}  // namespace

CatalogEntry cifar10_entry() {
  return {
      .name = "cifar10",
      .description =
          "colour photographs, 3 x 32 x 32, 10 classes; 50,000 to train and 10,000 to test, or the files of "
          "them that are there (Krizhevsky 2009)",
      .folder = "cifar10",
      .files = {{.name = "data_batch_1.bin.gz",
                 .urls = {},
                 .sha256 = "d362e0c96166131955fe991deaff74fcdaf1df9ccb7654818348ff84bfa8db8d",
                 .unpacked_sha256 = "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"}},
      .by_hand = kByHand,
      .read = read_batches,
      .load = load_10};
}

CatalogEntry cifar100_entry() {
  return {.name = "cifar100",
          .description =
              "colour photographs, 3 x 32 x 32, 100 classes in 20 coarse ones; 50,000 to train and 10,000 to "
              "test (Krizhevsky 2009)",
          .folder = "cifar100",
          .by_hand = kByHand,
          .load = load_100};
}

}  // namespace basin
