#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "columns.h"
#include "config/config.h"
#include "data/catalog.h"
#include "data/fill_batch.h"
#include "data/readers/hdf5_rows.h"
#include "data/readers/npy.h"
#include "load.h"
#include "results/files/atomic_file.h"
#include "results/hdf5/hdf5_handle.h"
#include "temporary.h"
#include "writers.h"

namespace basin {
namespace {

using test::bytes_of;
using test::contains;
using test::error_of;
using test::load;
using test::npy;
using test::TemporaryFolder;
using test::write_file;

class Own : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& bytes) {
    return write_file(folder_ / name, bytes);
  }

  /// A dataset of an HDF5 file, in chunks of rows where `chunk` says so.
  void put(const std::string& path, const std::string& name, hid_t type, std::vector<hsize_t> shape,
           const void* data, hsize_t chunk = 0) {
    const Hdf5Session session;
    const bool is_new = !std::filesystem::exists(path);
    const Hdf5Handle h5(is_new ? H5Fcreate(path.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT)
                               : H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT),
                        H5Fclose, path);
    const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose,
                           path);
    const Hdf5Handle options(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, path);
    if (chunk > 0) {
      std::vector<hsize_t> extents = shape;
      extents[0] = chunk;
      H5Pset_chunk(options, static_cast<int>(extents.size()), extents.data());
    }
    const Hdf5Handle dataset(H5Dcreate2(h5, name.c_str(), type, space, H5P_DEFAULT, options, H5P_DEFAULT),
                             H5Dclose, path);
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  }

  TemporaryFolder folder_;
};

TEST_F(Own, NumPyOfEveryType) {
  const std::vector<float> f4{1.5f, -2, 3, 4, 5, 6};
  const std::vector<double> f8{0.1, 2, 3, 4};
  const std::vector<std::int32_t> i4{7, -8, 9};
  const std::vector<std::int64_t> i8{1, 0, 2};
  const Column reals = read_npy(file("f4.npy", npy("<f4", "(2, 3)", bytes_of(f4))), {"x"});
  EXPECT_EQ(reals.shape(), Shape{3});
  EXPECT_EQ(reals.reals().values(), std::vector<double>(f4.begin(), f4.end()));
  const Column wide = read_npy(file("f8.npy", npy("<f8", "(4,)", bytes_of(f8), 2)), {"x"});
  EXPECT_EQ(wide.shape(), Shape{});
  EXPECT_EQ(wide.reals().values(), f8);
  const Column bytes = read_npy(file("u1.npy", npy("|u1", "(2, 2, 1)", "abcd")), {"image"});
  EXPECT_EQ(bytes.kind(), ColumnKind::Bytes);
  EXPECT_EQ(bytes.shape(), (Shape{2, 1}));
  EXPECT_EQ(bytes.bytes()[3], 'd');
  const Column integers = read_npy(file("i4.npy", npy("<i4", "(3,)", bytes_of(i4))), {"n"});
  EXPECT_TRUE(std::ranges::equal(integers.integers(), i4));
  EXPECT_EQ(integers.classes(), 0);
  const Column labels = read_npy(file("i8.npy", npy("<i8", "(3,)", bytes_of(i8))), {"label", -1});
  EXPECT_EQ(labels.classes(), 3);
  EXPECT_EQ(labels.integers()[2], 2);
  EXPECT_EQ(read_npy(file("u1.npy", npy("|u1", "(2,)", std::string("\0\3", 2))), {"label", 5}).classes(), 5);
}

TEST_F(Own, NumPyFilesThatLieAreErrors) {
  const auto error = [&](const std::string& bytes, Index classes = 0) {
    const std::string path = file("bad.npy", bytes);
    const std::string text = error_of([&] { read_npy(path, {"x", classes}); });
    EXPECT_FALSE(contains(text, "\n")) << text;
    return text;
  };
  const std::string twelve(12, 'x');
  EXPECT_TRUE(contains(error("rubbish, and more of it"), "NumPy file"));
  EXPECT_TRUE(contains(error(npy("<f4", "(3,)", twelve, 3)), "format 1 or 2"));
  EXPECT_TRUE(contains(error(npy("<f4", "(4,)", twelve)), "cut short"));
  EXPECT_TRUE(contains(error(npy("<f4", "(2,)", twelve)), "cut short or not what it says"));
  EXPECT_TRUE(contains(error(npy("<f4", "(4611686018427387904, 4)", twelve)), "absurd"));
  EXPECT_TRUE(contains(error(npy(">f4", "(3,)", twelve)), "'>f4'"));
  EXPECT_TRUE(contains(error(npy("<f4", "(3,)", twelve, 1, "True")), "C order"));
  EXPECT_TRUE(contains(error(npy("<f4", "(three,)", twelve)), "shape"));
  EXPECT_TRUE(contains(error(npy("<f4\n<f8", "(3,)", twelve)), "'<f4?<f8'"));
  EXPECT_TRUE(contains(error(npy("<f4", "(3\n,4)", twelve)), "shape"));
  EXPECT_TRUE(contains(error(npy("<f4", "()", twelve)), "one sample a row"));
  EXPECT_TRUE(contains(error(npy("<f4", "(3,)", twelve), -1), "categories"));
  EXPECT_TRUE(contains(error(npy("|u1", "(2,)", "\1\7"), 3), "0 to 2"));
  const std::vector<std::int64_t> large{std::int64_t{1} << 40};
  EXPECT_TRUE(contains(error(npy("<i8", "(1,)", bytes_of(large))), "32-bit"));
  EXPECT_TRUE(
      contains(error(npy("<i4", "(1,)", bytes_of(std::vector<std::int32_t>{-1})), -1), "received -1"));
  EXPECT_TRUE(contains(error(npy("<f4", "(3,)", twelve).substr(0, 30)), "ends inside"));
  EXPECT_TRUE(contains(error_of([&] { read_npy(folder_ / "none.npy", {"x"}); }), "none.npy"));
}

TEST_F(Own, Hdf5InMemoryAndInTheFileAreAlike) {
  const std::string path = folder_ / "own.h5";
  const Index rows = 400, size = 7000;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(rows * size));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 31 + i / 7000);
  std::vector<double> reals(pixels.begin(), pixels.end());
  put(path, "pixels", H5T_NATIVE_UINT8, {400, 7000}, pixels.data(), 64);
  put(path, "reals", H5T_NATIVE_DOUBLE, {400, 7000}, reals.data());
  for (const char* name : {"pixels", "reals"}) {
    const Column whole = read_hdf5(path, name, {"x"}, std::uint64_t{1} << 30),
                 stored = read_hdf5(path, name, {"x"}, 0);
    EXPECT_TRUE(whole.in_memory() && !stored.in_memory());
    EXPECT_EQ(stored.count(), rows);
    EXPECT_EQ(stored.shape(), whole.shape());
    const std::vector<Index> some{399, 3, 200, 3, 0};
    const Tensor a({5, size}), b({5, size});
    const PixelScale scale = stored.kind() == ColumnKind::Bytes ? PixelScale::Stochastic : PixelScale::Unit;
    fill_batch(whole, some, {.scale = scale, .key = Key(4)}, a);
    fill_batch(stored, some, {.scale = scale, .key = Key(4)}, b);
    EXPECT_EQ(a.values(), b.values());
    const Column picked = stored.picked(some).head(3), wanted = whole.picked(some).head(3);
    const Tensor c({2, size}), d({2, size});
    const std::vector<Index> two{2, 0};
    fill_batch(picked, two, {}, c);
    fill_batch(wanted, two, {}, d);
    EXPECT_EQ(c.values(), d.values());
    EXPECT_NE(error_of([&] {
                stored.kind() == ColumnKind::Bytes ? stored.bytes().size() : stored.reals().bytes();
              }),
              "");
  }
  EXPECT_EQ(read_hdf5(path, "pixels", {"x"}, 0).block(), 192);  // chunks of 64 rows, a mebibyte at least
  EXPECT_EQ(read_hdf5(path, "reals", {"x"}, 0).block(), 18);
}

TEST_F(Own, Hdf5FilesThatDoNotFitAreErrors) {
  const std::string path = folder_ / "own.h5";
  const std::vector<float> numbers(12, 1.5f);
  const std::vector<std::int64_t> labels{0, 1, 2, 1};
  put(path, "x", H5T_NATIVE_FLOAT, {4, 3}, numbers.data());
  put(path, "label", H5T_STD_I64BE, {4}, labels.data());
  const auto error = [&](const std::string& name, Index classes = 0) {
    return error_of([&] { read_hdf5(path, name, {"x", classes}, 1 << 20); });
  };
  EXPECT_EQ(error("x"), "");
  EXPECT_TRUE(contains(error("y"), "no dataset y"));
  EXPECT_TRUE(contains(error("x", -1), "categories"));
  EXPECT_TRUE(contains(error_of([&] { read_hdf5(folder_ / "none.h5", "x", {"x"}, 0); }), "none.h5"));
  const std::string bad = file("bad.h5", "no HDF5 at all");
  EXPECT_TRUE(contains(error_of([&] { read_hdf5(bad, "x", {"x"}, 0); }), "bad.h5"));
}

TEST_F(Own, DataSetOfNumPyColumns) {
  std::string pixels, labels;
  for (int n = 0; n < 100; ++n) {
    pixels += std::string(4, static_cast<char>(n));
    labels += static_cast<char>(n % 5);
  }
  file("images.npy", npy("|u1", "(100, 2, 2)", pixels));
  file("labels.npy", npy("|u1", "(100,)", labels));
  const std::string table = fmt::format(
      "name = \"file\"\npath = \"{}\"\ncolumns = {{ image = \"images.npy\", label = \"labels.npy\" }}\n",
      folder_.path());
  const Dataset data = load(table + "validation = 10\nlabels = 20");
  EXPECT_EQ(data.train.count, 70);
  EXPECT_EQ(data.validation.count, 10);
  EXPECT_EQ(data.test.count, 20);
  EXPECT_EQ(data.labelled.count, 20);
  EXPECT_EQ(data.train.first().name(), "image");
  EXPECT_EQ(data.train.labels()->classes(), 5);
  std::vector<int> seen;
  for (const Samples* part : {&data.train, &data.validation, &data.test}) {
    const std::vector<std::uint8_t> image = test::pixels_of(*part);
    const std::vector<int> label = test::labels_of(*part);
    for (std::size_t n = 0; n < label.size(); ++n) {
      EXPECT_EQ(label[n], image[4 * n] % 5);  // columns stay together
      seen.push_back(image[4 * n]);
    }
    for (int c = 0; c < 5; ++c) EXPECT_EQ(std::ranges::count(label, c), part->count / 5);
  }
  std::ranges::sort(seen);
  std::vector<int> all(100);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(seen, all);

  const Dataset own_test = load(table + "test_columns = { label = \"labels.npy\", image = \"images.npy\" }");
  EXPECT_EQ(own_test.train.count, 100);
  EXPECT_EQ(own_test.test.count, 100);
  const Dataset unlabelled = load(
      fmt::format("name = \"file\"\npath = \"{}\"\ncolumns = {{ image = \"images.npy\" }}", folder_.path()));
  EXPECT_EQ(unlabelled.labelled.count, 0);
  EXPECT_EQ(unlabelled.test.count, 20);
}

TEST_F(Own, DataSetOfAnHdf5File) {
  const std::string path = folder_ / "own.h5";
  std::vector<float> numbers(60 * 3);
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  std::vector<std::int32_t> labels(60);
  for (std::size_t n = 0; n < 60; ++n) labels[n] = static_cast<std::int32_t>(n % 3);
  put(path, "x", H5T_NATIVE_FLOAT, {60, 3}, numbers.data());
  put(path, "tag", H5T_NATIVE_INT32, {60}, labels.data());
  const Dataset data =
      load(fmt::format("name = \"file\"\npath = \"{}\"\ncolumns = {{ x = \"x\", tag = \"tag\" }}\n"
                       "categories = [\"tag\"]\nclasses = 4\ntest_share = 0.5\nmemory = 0",
                       path));
  EXPECT_FALSE(data.train.first().in_memory());
  EXPECT_TRUE(data.train["tag"].in_memory());
  EXPECT_EQ(data.train["tag"].classes(), 4);
  EXPECT_EQ(data.train.count, 30);
  const Tensor batch({1, 3});
  fill_batch(data.test.first(), std::vector<Index>{7}, {}, batch);
  EXPECT_EQ(static_cast<int>(batch.values()[0]) / 3 % 3, data.test["tag"].integers()[7]);
}

// HDF5 itself breaks down on some of these; a child process meets that.
TEST_F(Own, DamagedHdf5FilesEndNobody) {
  const std::string path = folder_ / "own.h5";
  const std::vector<float> numbers(40 * 3, 1.5f);
  for (const char* name : {"x", "y", "z"}) put(path, name, H5T_NATIVE_FLOAT, {40, 3}, numbers.data(), 4);
  const std::string whole = read_whole(path);
  int refused = 0;
  for (std::size_t offset = 0; offset < whole.size(); offset += 13) {
    std::string bad = whole;
    bad[offset] = static_cast<char>(~bad[offset]);
    file("bad.h5", bad);
    refused +=
        error_of([&] {
          load(fmt::format("name = \"file\"\npath = \"{}\"\ncolumns = {{ x = \"z\" }}", folder_ / "bad.h5"));
        }) != "";
  }
  EXPECT_GT(refused, 20);
}

TEST_F(Own, TablesThatMakeNoSenseAreErrors) {
  file("a.npy", npy("|u1", "(3, 2)", "abcdef"));
  file("b.npy", npy("|u1", "(2,)", std::string("\0\1", 2)));
  file("c.npy", npy("|u1", "(2, 3)", "abcdef"));
  const auto error = [&](const std::string& rest) {
    return error_of([&] { load(fmt::format("name = \"file\"\npath = \"{}\"\n{}", folder_.path(), rest)); });
  };
  EXPECT_TRUE(contains(error(""), "columns"));
  EXPECT_TRUE(contains(error("columns = { image = \"a.npy\", label = \"b.npy\" }"), "expected 3 samples"));
  EXPECT_TRUE(
      contains(error("columns = { image = \"a.npy\" }\ntest_columns = { image = \"c.npy\" }"), "[3]"));
  EXPECT_TRUE(
      contains(error("columns = { image = \"a.npy\" }\ntest_columns = { images = \"a.npy\" }"), "'image'"));
  EXPECT_TRUE(contains(error("columns = { image = \"a.npy\" }\nvalidation = 5"), "0 to 2"));
  EXPECT_TRUE(contains(error("columns = { image = \"a.npy\" }\nvalidation = 1.5"), "whole number"));
  EXPECT_TRUE(contains(error("columns = { image = \"a.npy\" }\nsize = 3"), "size"));
  EXPECT_TRUE(contains(error("columns = { image = \"d.npy\" }"), "d.npy"));
}

TEST_F(Own, NumbersThatAreNotFiniteAreNamed) {
  file("x.npy", npy("<f4", "(3, 2)", bytes_of(std::vector<float>{0, 1, 2, 3, NAN, 5})));
  const Config config = Config::parse("[data]\nname = \"file\"\npath = \"" + folder_ / "" +
                                      "\"\ncolumns = { x = \"x.npy\" }\ntest_share = 0\n");
  const DatasetChoice choice = read_dataset(config.table("data"));
  const std::string error = error_of([&] { load_dataset(choice.name, choice.options); });
  EXPECT_TRUE(contains(error, "nan in sample 2 of 'x'")) << error;
  EXPECT_TRUE(contains(error, folder_ / "x.npy")) << error;
  // Of a column that stays in its file when the batch is read.
  const std::string path = folder_ / "nan.h5";
  const std::vector<double> numbers{0, 1, 2, 3, 4, NAN};
  put(path, "x", H5T_NATIVE_DOUBLE, {3, 2}, numbers.data());
  const Column stored = read_hdf5(path, "x", {"x"}, 0);
  std::vector<double> rows(4);
  const std::vector<Index> last{2};
  const std::string said = error_of([&] { stored.gather(last, rows.data()); });
  EXPECT_TRUE(contains(said, path + ", dataset x: expected finite numbers of f32, received nan in sample 2"))
      << said;
}

TEST_F(Own, LabelsOutOfRangeAreNamed) {
  file("x.npy", npy("|u1", "(3, 2)", "abcdef"));
  file("y.npy", npy("<i4", "(3,)", bytes_of(std::vector<std::int32_t>{0, 3, 1})));
  const std::string error = error_of([&] {
    load(
        fmt::format("name = \"file\"\npath = \"{}\"\nclasses = 3\n"
                    "columns = {{ image = \"x.npy\", label = \"y.npy\" }}\n",
                    folder_.path()));
  });
  EXPECT_TRUE(
      contains(error, folder_ / "y.npy" + ": expected categories 0 to 2 of 'label', received 3 in sample 1"))
      << error;
}

TEST_F(Own, LengthsThatNoSequenceHasAreNamed) {
  file("x.npy", npy("|u1", "(2, 3, 2)", std::string(12, '\1')));
  const auto error_with = [&](const std::string& lengths) {
    file("n.npy", npy("<i4", "(2,)", lengths));
    const Config config =
        Config::parse("[data]\nname = \"file\"\npath = \"" + folder_ / "" +
                      "\"\ncolumns = { x = \"x.npy\", lengths = \"n.npy\" }\ntest_share = 0\n");
    const DatasetChoice choice = read_dataset(config.table("data"));
    return error_of([&] { load_dataset(choice.name, choice.options); });
  };
  EXPECT_EQ(error_with(bytes_of(std::vector<std::int32_t>{1, 3})), "");
  EXPECT_TRUE(contains(error_with(bytes_of(std::vector<std::int32_t>{3, 0})), "1 to 3 a sample"));
  EXPECT_TRUE(contains(error_with(bytes_of(std::vector<std::int32_t>{4, 1})), "received 4 in sample 0"));
}

TEST_F(Own, LabelsThatNumberSomethingElseAreErrors) {
  file("x.npy", npy("|u1", "(2, 2)", "abcd"));
  file("y.npy", npy("<i4", "(2,)", std::string("\0\0\0\0\0\xca\x9a\x3b", 8)));  // 0 and 1,000,000,000
  const std::string table =
      fmt::format("name = \"file\"\npath = \"{}\"\ncolumns = {{ image = \"x.npy\", label = \"y.npy\" }}\n",
                  folder_.path());
  EXPECT_TRUE(contains(error_of([&] { load(table); }), "1000000000 as the largest of 2 samples"));
}

}  // namespace
}  // namespace basin
