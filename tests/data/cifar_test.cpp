// Sets of pictures in files: CIFAR, USPS, MNIST as sequences, pairs of HDF5 datasets.
#include "data/readers/cifar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "columns.h"
#include "config/config.h"
#include "data/catalog.h"
#include "load.h"
#include "results/hdf5/store.h"
#include "temporary.h"
#include "writers.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::load;
using test::TemporaryFolder;
using test::TemporaryVariable;
using test::write_file;

/// Records with these labels, pixel p of record n being (n + p) % 251.
std::string records(const std::vector<std::vector<int>>& labels) {
  std::string bytes;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    for (const int label : labels[n]) bytes.push_back(static_cast<char>(label));
    for (std::size_t p = 0; p < 3072; ++p) bytes.push_back(static_cast<char>((n + p) % 251));
  }
  return bytes;
}

TEST(Cifar, ReadsRecordsOfAllItsFiles) {
  const TemporaryFolder folder;
  const TemporaryVariable place("BASIN_DATA", folder.path());
  EXPECT_TRUE(contains(error_of([] { load("name = \"cifar10\""); }), "data_batch_1.bin"));
  write_file(folder / "cifar10/data_batch_1.bin", records({{3}, {9}}));
  write_file(folder / "cifar10/data_batch_4.bin.gz", test::gzip(records({{0}})));
  EXPECT_TRUE(contains(error_of([] { load("name = \"cifar10\""); }), "test_batch.bin"));
  write_file(folder / "cifar10/test_batch_first1000.bin.gz", test::gzip(records({{7}})));
  const Dataset data = load("name = \"cifar10\"");
  EXPECT_EQ(data.train.shape(), (Shape{3, 32, 32}));
  EXPECT_EQ(test::labels_of(data.train), (std::vector<int>{3, 9, 0}));
  EXPECT_EQ(test::labels_of(data.test), (std::vector<int>{7}));
  EXPECT_EQ(data.train.pixels()[3072 + 17], 18);
  EXPECT_EQ(data.class_names.at("label").at(3), "cat");
  EXPECT_EQ(test::labels_of(load("name = \"cifar10\"\nbatches = [4]").train), (std::vector<int>{0}));
  EXPECT_TRUE(contains(error_of([] { load("name = \"cifar10\"\nbatches = [2]"); }), "data_batch_2.bin"));
  EXPECT_TRUE(contains(error_of([] { load("name = \"cifar10\"\nbatches = [6]"); }), "1 to 5"));
  EXPECT_TRUE(contains(error_of([] { load("name = \"cifar10\"\nbatches = [1, 1]"); }), "1 twice"));
  write_file(folder / "cifar10/test_batch.bin", records({{1}, {2}}));
  EXPECT_EQ(test::labels_of(load("name = \"cifar10\"").test), (std::vector<int>{1, 2}))
      << "the whole one first";

  write_file(folder / "cifar100/train.bin", records({{19, 99}, {4, 57}}));
  write_file(folder / "cifar100/test.bin", records({{0, 0}}));
  const Dataset hundred = load("name = \"cifar100\"");
  EXPECT_EQ(test::labels_of(hundred.train), (std::vector<int>{99, 57})) << "labels are the fine ones";
  EXPECT_EQ(hundred.train["coarse"].integers()[1], 4);
  EXPECT_EQ(hundred.class_names.at("label").size(), 100u);
  EXPECT_EQ(hundred.class_names.at("label").at(57), "pear");
  EXPECT_EQ(hundred.class_names.at("coarse").at(4), "fruit_and_vegetables");
  for (const auto& [column, names] : hundred.class_names)
    EXPECT_TRUE(std::ranges::is_sorted(names)) << column;
}

TEST(Cifar, WhatIsNoneIsSaid) {
  const TemporaryFolder folder;
  const CifarLabel labels[] = {{"label", 10}};
  const auto error = [&](const std::string& bytes, const ImportLimit& limit = ImportLimit()) {
    const std::string path[] = {write_file(folder / "a.bin", bytes)};
    return error_of([&] { read_cifar(path, labels, limit); });
  };
  EXPECT_EQ(error(records({{9}})), "");
  EXPECT_TRUE(contains(error(records({{9}, {10}})), "class 0 to 9 as 'label' of record 1, received 10"));
  EXPECT_TRUE(contains(error(records({{9}}) + "x"), "records of 3073 bytes, received 3074"));
  EXPECT_TRUE(contains(error(""), "received 0 bytes"));
  EXPECT_TRUE(contains(error(test::gzip(records({{9}})).substr(0, 60)), "cut short"));
  EXPECT_TRUE(contains(error(std::string(3073 * 400, '\0'), ImportLimit(1 << 20)), "import limit"));
}

TEST(Pictures, MnistAsSequences) {
  if (std::getenv("BASIN_DATA") == nullptr) GTEST_SKIP() << "BASIN_DATA is not set: no MNIST";
  const std::string few = "name = \"mnist\"\ntrain = 20\ntest = 5\n";
  const Dataset images = load(few), rows = load(few + "sequence = \"rows\""),
                pixels = load(few + "sequence = \"pixels\""),
                permuted = load(few + "sequence = \"permuted\""),
                other = load(few + "sequence = \"permuted\"\nseed = 1");
  EXPECT_EQ(rows.train.shape(), (Shape{28, 28}));
  EXPECT_EQ(pixels.train.shape(), (Shape{784, 1}));
  EXPECT_EQ(test::pixels_of(rows.train), test::pixels_of(images.train));
  EXPECT_EQ(test::pixels_of(pixels.train), test::pixels_of(images.train));
  EXPECT_EQ(test::labels_of(permuted.test), test::labels_of(images.test));
  EXPECT_NE(test::pixels_of(permuted.train), test::pixels_of(other.train));
  // One permutation of all images: where the pixels of 25 images went is the same place.
  const auto signature = [](const Dataset& data, Index pixel) {
    std::vector<std::uint8_t> values;
    for (const Samples* part : {&data.train, &data.test}) {
      for (Index n = 0; n < part->count; ++n)
        values.push_back(part->pixels()[static_cast<std::size_t>(n * 784 + pixel)]);
    }
    return values;
  };
  std::vector<std::vector<std::uint8_t>> before, after;
  for (Index p = 0; p < 784; ++p)
    before.push_back(signature(images, p)), after.push_back(signature(permuted, p));
  EXPECT_NE(before, after);
  std::ranges::sort(before), std::ranges::sort(after);
  EXPECT_EQ(before, after);
  EXPECT_TRUE(contains(error_of([&] { load(few + "sequence = \"columns\""); }), "permuted"));
}

TEST(Pictures, UspsAndCifarAsTheyAre) {
  if (std::getenv("BASIN_DATA") == nullptr) GTEST_SKIP() << "BASIN_DATA is not set: no USPS, no CIFAR";
  const Dataset usps = load("name = \"usps\"");
  EXPECT_EQ(usps.train.shape(), (Shape{16, 16}));
  EXPECT_TRUE(in_unit_interval(usps.train));
  const auto counts = [](const Samples& samples) {
    std::vector<int> counts(10);
    for (const int label : test::labels_of(samples)) ++counts.at(static_cast<std::size_t>(label));
    return counts;
  };
  EXPECT_EQ(counts(usps.train), (std::vector<int>{1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644}));
  EXPECT_EQ(counts(usps.test), (std::vector<int>{359, 264, 198, 166, 200, 160, 170, 147, 166, 177}));
  const Dataset cifar = load("name = \"cifar10\"\nbatches = [1]");
  EXPECT_EQ(counts(cifar.train), (std::vector<int>{1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981}));
}

TEST(Pictures, PairsOfHdf5Datasets) {
  const TemporaryFolder folder;
  Store store;
  Tensor grey({6, 4, 5}), colour({6, 3, 4, 5});
  std::iota(grey.host<float>(), grey.host<float>() + grey.size(), 0.0f);
  std::iota(colour.host<float>(), colour.host<float>() + colour.size(), 0.0f);
  store.put("grey", grey);
  store.put("colour", colour);
  store.put("labels", std::vector<std::int64_t>{0, 1, 2, 0, 1, 2});
  store.save(folder / "a.h5");
  for (const auto& [name, shape] : {std::pair{"grey", Shape{4, 5}}, std::pair{"colour", Shape{3, 4, 5}}}) {
    const Dataset data =
        load("name = \"file\"\npath = \"" + (folder / "a.h5") +
             "\"\ntest_share = 0.5\ncolumns = { image = \"" + name + "\", label = \"labels\" }");
    EXPECT_EQ(data.train.shape(), shape);
    EXPECT_EQ(data.train.labels()->classes(), 3);
    EXPECT_EQ(data.train.count, 3);
  }
}

}  // namespace
}  // namespace basin
