// Samples written for other programs, and read again.
#include "data/export.h"

#include <gtest/gtest.h>

#include "data/readers/npy.h"
#include "load.h"
#include "results/hdf5/store.h"
#include "temporary.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::read_file;
using test::TemporaryFolder;

Dataset small() {
  Dataset data;
  data.train = Samples{byte_column("image", {2, 2}, {0, 51, 102, 153, 204, 255, 1, 2}),
                       integer_column("label", {}, {2, 0}, 3)};
  data.test = Samples{byte_column("image", {2, 2}, {9, 8, 7, 6}), integer_column("label", {}, {1}, 3)};
  return data;
}

TEST(Export, Hdf5HoldsEveryColumnOfEveryPart) {
  const TemporaryFolder folder;
  export_samples(folder / "all.h5", parts_of(small()));
  const Store store = Store::load(folder / "all.h5");
  EXPECT_EQ(store.list(),
            (std::vector<std::string>{"/test/image", "/test/label", "/train/image", "/train/label"}));
  EXPECT_EQ(store.shape("train/image"), (Shape{2, 2, 2}));
  EXPECT_FLOAT_EQ(static_cast<float>(store.tensor("train/image").values()[1]), 0.2F);
  EXPECT_EQ(store.integers("train/label"), (std::vector<std::int64_t>{2, 0}));
}

TEST(Export, HiddenLabelsStayHidden) {
  const TemporaryFolder folder;
  Dataset data = small();
  data.labelled = data.train;
  export_samples(folder / "all.h5", parts_of(data));
  EXPECT_TRUE(Store::load(folder / "all.h5").has("train/label")) << "all of them are shown";
  data.labelled = data.train.picked(std::vector<Index>{1});
  export_samples(folder / "some.h5", parts_of(data));
  const Store store = Store::load(folder / "some.h5");
  EXPECT_EQ(store.list(), (std::vector<std::string>{"/labelled/image", "/labelled/label", "/test/image",
                                                    "/test/label", "/train/image"}));
  EXPECT_EQ(store.shape("train/image"), (Shape{2, 2, 2}));
  EXPECT_EQ(store.integers("labelled/label"), (std::vector<std::int64_t>{0}));
  EXPECT_TRUE(contains(error_of([&] { export_samples(folder / "y.npy", parts_of(data, "train"), "label"); }),
                       "expected a column 'label', received image"));
}

TEST(Export, NumPyHoldsAColumnAsItIsStored) {
  const TemporaryFolder folder;
  export_samples(folder / "x.npy", parts_of(small(), "train"));
  // The header as NumPy writes it: a line, and 64 bytes or a multiple of them before the numbers.
  const std::string file = read_file(folder / "x.npy");
  EXPECT_EQ((file.size() - 8) % 64, 0U);
  EXPECT_TRUE(contains(file, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2,), }"));
  const Column pixels = read_npy(folder / "x.npy", {.name = "x"});
  EXPECT_EQ(pixels.shape(), (Shape{2, 2}));
  EXPECT_EQ((std::vector<int>{pixels.bytes().begin(), pixels.bytes().end()}),
            (std::vector<int>{0, 51, 102, 153, 204, 255, 1, 2}));

  export_samples(folder / "y.npy", parts_of(small(), "test"), "label");
  const Column labels = read_npy(folder / "y.npy", {.name = "y"});
  ASSERT_EQ(labels.count(), 1);
  EXPECT_EQ(labels.integers()[0], 1);

  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    const std::vector<double> numbers{0.5, -1.25, 3.0, 1e-3, 7.0, 8.0};
    const Tensor reals = Tensor::from(numbers, {3, 2}, {dtype, Device::Cpu});
    export_samples(folder / "r.npy", {{"codes", Samples(reals)}});
    const Column again = read_npy(folder / "r.npy", {.name = "r"});
    EXPECT_EQ(again.dtype(), dtype);
    EXPECT_EQ(again.reals().values(), reals.values());
  }
}

TEST(Export, WhatCannotBeWrittenIsSaid) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& path, const std::string& part, const std::string& column) {
    return error_of([&] { export_samples(path, parts_of(small(), part), column); });
  };
  EXPECT_TRUE(contains(refused(folder / "x.npy", "", ""), "one part of the data in a .npy file, received 2"));
  EXPECT_TRUE(contains(refused(folder / "x.csv", "", ""), "FILE.h5, .hdf5 or .npy"));
  EXPECT_TRUE(contains(refused(folder / "x.h5", "validation", ""), "one of the parts train, test"));
  EXPECT_TRUE(contains(refused(folder / "x.h5", "", "lable"), "expected a column 'lable'"));
  EXPECT_FALSE(std::filesystem::exists(folder / "x.h5"));
}

}  // namespace
}  // namespace basin
