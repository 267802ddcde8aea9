// Data sets of people's own files: archives of NumPy, IDX and folders of pictures. (CSV: csv_test.cpp.)
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "columns.h"
#include "config/config.h"
#include "data/catalog.h"
#include "data/images/picture_folder.h"
#include "data/images/resize.h"
#include "data/readers/npy.h"
#include "load.h"
#include "results/pictures/picture.h"
#include "temporary.h"
#include "writers.h"

namespace basin {
namespace {

using test::bytes_of;
using test::contains;
using test::error_of;
using test::read_file;
using test::TemporaryFolder;
using test::write_file;

/// One of the inputs that the fuzz targets start from.
std::string corpus(const std::string& name) { return std::string(BASIN_CORPUS) + "/" + name; }

Dataset load(const std::string& table) { return test::load("name = \"file\"\n" + table); }

class Formats : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& bytes) {
    return write_file(folder_ / name, bytes);
  }
  void picture(const std::string& name, int height, int width, std::uint8_t first) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width));
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(first + i);
    std::filesystem::create_directories(std::filesystem::path(folder_ / name).parent_path());
    save_png({width, height, 1, pixels}, folder_ / name);
  }
  std::string refusal(const std::string& table) const {
    const std::string error = error_of([&] { load(table); });
    EXPECT_FALSE(contains(error, "\n")) << error;
    return error;
  }
  TemporaryFolder folder_;
};

TEST_F(Formats, ArchivesThatNumPyWrote) {
  for (const char* name : {"npz/savez.npz", "npz/savez_compressed.npz"}) {
    const Column x = read_npz(corpus(name), "x", {"x"}),
                 label = read_npz(corpus(name), "label", {"label", -1});
    EXPECT_EQ(x.shape(), (Shape{2, 3}));
    EXPECT_EQ(x.count(), 10);
    EXPECT_EQ(x.bytes()[59], 59);
    EXPECT_EQ(label.classes(), 3);
    EXPECT_EQ(label.integers()[8], 2);
    const Column z = read_npz(corpus(name), "z.npy", {"z"});
    EXPECT_EQ(z.shape(), Shape{2});
    EXPECT_NEAR(z.reals().values()[1], -1.0 + 2.0 / 19.0, 1e-7);
    const Dataset data =
        load(fmt::format("path = \"{}\"\ncolumns = {{ image = \"x\", label = \"label\" }}\ntest_columns = {{ "
                         "image = \"x\", label "
                         "= \"label\" }}",
                         corpus(name)));
    EXPECT_EQ(data.train.count, 10);
    EXPECT_EQ(test::labels_of(data.test), (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0}));
  }
}

TEST_F(Formats, ArchivesThatLieAreErrors) {
  const std::string good = test::npy("|u1", "(4, 3)", "abcdefghijkl");
  for (const bool deflate : {false, true}) {
    const std::string zip = test::zip({{"x.npy", good}}, deflate), path = file("a.npz", zip);
    const auto error = [&](const std::string& bytes) {
      file("a.npz", bytes);
      const std::string text = error_of([&] { read_npz(path, "x", {"x"}); });
      EXPECT_TRUE(text.empty() || contains(text, "[npz] " + path)) << text;
      return text;
    };
    EXPECT_EQ(error(zip), "");
    std::string damaged = zip;
    damaged[30 + 5 + (deflate ? 30 : 130)] ^= 1;
    EXPECT_NE(error(damaged), "");  // its checksum
    for (std::size_t length = 0; length < zip.size(); length += 7)
      EXPECT_NE(error(zip.substr(0, length)), "") << length;
    EXPECT_NE(error(test::zip({{"x.npy", good}}, deflate, 4'000'000'000)), "");
    EXPECT_TRUE(contains(error(test::zip({{"x.npy", good + "z"}}, deflate)), "not what it says"));
    EXPECT_TRUE(contains(error(test::zip({{"y.npy", good}}, deflate)), "has no array 'x'; there are y"));
    EXPECT_TRUE(contains(error(test::zip({{"x.npy", "rubbish, and more"}}, deflate)), "NumPy"));
  }
  EXPECT_TRUE(contains(error_of([&] { read_npz(folder_ / "no.npz", "x", {"x"}); }), "no.npz"));
  const std::string zeros = test::npy("|u1", "(3000000,)", std::string(3'000'000, '\0'));
  const std::string bomb = file("bomb.npz", test::zip({{"x.npy", zeros}}, true));
  EXPECT_TRUE(contains(error_of([&] { read_npz(bomb, "x", {"x"}, ImportLimit(1 << 20)); }), "import limit"));
  EXPECT_EQ(error_of([&] { read_npz(bomb, "x", {"x"}, ImportLimit(4 << 20)); }), "");
}

TEST_F(Formats, PairsOfIdxFiles) {
  std::string pixels, labels;
  for (int n = 0; n < 20; ++n) {
    pixels += std::string(6, static_cast<char>(n));
    labels += static_cast<char>(n % 4);
  }
  file("images-idx3-ubyte.gz", test::gzip(test::idx_header(0x803, {20, 2, 3}) + pixels));
  file("labels.idx", test::idx_header(0x801, {20}) + labels);
  const std::string table = fmt::format("path = \"{}\"\n", folder_.path());
  const Dataset data = load(
      table + "columns = { image = \"images-idx3-ubyte.gz\", label = \"labels.idx\" }\ntest_share = 0.4");
  EXPECT_EQ(data.train.count, 12);
  EXPECT_EQ(data.train.shape(), (Shape{2, 3}));
  for (Index n = 0; n < 8; ++n)
    EXPECT_EQ(data.test.pixels()[static_cast<std::size_t>(6 * n)] % 4,
              data.test["label"].integers()[static_cast<std::size_t>(n)]);
  file("short-ubyte", test::idx_header(0x801, {19}) + labels.substr(1));
  EXPECT_TRUE(
      contains(refusal(table + "columns = { image = \"images-idx3-ubyte.gz\", label = \"short-ubyte\" }"),
               "expected 20 samples"));
  file("flat-ubyte", test::idx_header(0x803, {3, 0, 5}));
  EXPECT_TRUE(contains(refusal(table + "columns = { image = \"flat-ubyte\" }"), "flat-ubyte"));
  file("none-ubyte", test::idx_header(0x803, {0, 2, 5}));
  EXPECT_TRUE(contains(refusal(table + "columns = { image = \"none-ubyte\" }"), "expected samples"));
  EXPECT_TRUE(contains(refusal(table + "columns = { image = \"gone-ubyte\" }"), "gone-ubyte"));
}

TEST_F(Formats, FoldersOfPicturesWithASubfolderAClass) {
  for (int n = 0; n < 6; ++n) {
    picture(fmt::format("train/{}/{}.png", n % 2 == 0 ? "cat" : "ant", n), 4, 5,
            static_cast<std::uint8_t>(n));
    if (n < 2) picture(fmt::format("test/cat/{}.PNG", n), 4, 5, static_cast<std::uint8_t>(100 + n));
  }
  file("train/.hidden", "not read");
  const std::string columns = "columns = { image = \"pixels\", label = \"folder\" }\n";
  const std::string train = fmt::format("path = \"{}\"\n", folder_ / "train");
  const Dataset data = load(train + columns + fmt::format("test_path = \"{}\"", folder_ / "test"));
  EXPECT_EQ(data.train.shape(), (Shape{4, 5}));
  EXPECT_EQ(test::labels_of(data.train), (std::vector<int>{0, 0, 0, 1, 1, 1}));  // ant, cat
  EXPECT_EQ(data.train.pixels()[0], 1);
  EXPECT_EQ(data.train.pixels()[5 * 20 + 19], 4 + 19);
  EXPECT_EQ(test::labels_of(data.test), (std::vector<int>{1, 1}))
      << "classes are those of the training samples";
  EXPECT_EQ(data.test.pixels()[20], 101);
  EXPECT_EQ(load(train + "columns = { image = \"pixels\" }").train.count, 5);

  const Dataset small = load(train + columns + "crop = [2, 3]");
  EXPECT_EQ(small.train.shape(), (Shape{2, 3}));
  EXPECT_EQ(load(train + columns + "resize = [8, 8]\ncrop = [6, 4]").train.shape(), (Shape{6, 4}));
  EXPECT_TRUE(contains(refusal(train + "columns = { image = \"pixles\", label = \"folder\" }"),
                       "received 'pixles' of 'image'; did you mean 'pixels'?"));
  EXPECT_TRUE(contains(refusal(train + columns + "crop = [5, 5]"), "ant/1.png"));
  EXPECT_TRUE(contains(refusal(train + columns + "crop = [5]"), "[height, width]"));
  EXPECT_TRUE(contains(refusal(train + columns + "resize = [0, 4]"), "[height, width]"));
  EXPECT_TRUE(contains(refusal(train + "columns = { image = \"pixels\", label = \"name\" }"), "\"folder\""));
  EXPECT_TRUE(
      contains(refusal(train + columns + "import_limit = 1\nresize = [30000, 30000]"), "import limit"));

  picture("test/bee/a.png", 4, 5, 0);
  EXPECT_TRUE(
      contains(refusal(train + columns + fmt::format("test_path = \"{}\"", folder_ / "test")), "'bee'"));
  picture("train/cat/wide.png", 4, 6, 0);
  const std::string uneven = refusal(train + columns);
  EXPECT_TRUE(contains(uneven, "wide.png") && contains(uneven, "resize or crop")) << uneven;
  EXPECT_EQ(load(train + columns + "resize = [4, 5]\ntest_share = 0").train.count, 7);
  file("train/cat/wide.png", "no picture");
  EXPECT_TRUE(contains(refusal(train + columns), "wide.png"));
  std::filesystem::remove(folder_ / "train/cat/wide.png");
  file("train/cat/notes.txt", "x");
  EXPECT_TRUE(contains(refusal(train + columns), "notes.txt"));
  std::filesystem::rename(folder_ / "train/cat/notes.txt", folder_ / "train/.notes");
  picture("train/loose.png", 4, 5, 0);
  EXPECT_TRUE(contains(refusal(train + columns), "subfolder"));
  EXPECT_TRUE(contains(refusal("path = \"" + folder_ / "gone\"\n" + columns), "gone"));
}

TEST_F(Formats, ResizedImagesKeepMeansAndLines) {
  Tensor image({6, 8});
  for (Index i = 0; i < image.size(); ++i)
    image.host<float>()[i] = static_cast<float>(i / 8) + 0.5f * static_cast<float>(i % 8);
  EXPECT_EQ(resized(image, 6, 8).values(), image.values());
  const Tensor half = resized(image, 3, 4);
  for (const auto& [y, x] : {std::pair<Index, Index>{1, 1}, {1, 2}})  // inside, a plane stays one
    EXPECT_NEAR(half.values()[static_cast<std::size_t>(y * 4 + x)],
                2.0 * static_cast<double>(y) + 0.5 + 0.5 * (2.0 * static_cast<double>(x) + 0.5), 1e-5);
  const std::vector<double> flat = resized(resized(Tensor::full({5, 7}, 0.25), 11, 3), 2, 9).values();
  for (const double value : flat) EXPECT_NEAR(value, 0.25, 1e-6);
  EXPECT_EQ(middle(image, 2, 2).values(), (std::vector<double>{2 + 1.5, 2 + 2.0, 3 + 1.5, 3 + 2.0}));
  EXPECT_NE(error_of([&] { middle(image, 7, 2); }), "");
  EXPECT_NE(error_of([&] { resized(image, 0, 2); }), "");
}

}  // namespace
}  // namespace basin
