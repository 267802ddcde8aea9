#include "results/pictures/picture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "results/folder.h"
#include "support/device.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::Folder;
using Pixels = std::vector<std::uint8_t>;

Tensor rows(const std::vector<double>& values, Shape shape) {
  return Tensor::from(values, std::move(shape), test::f64());
}

TEST(Tile, PlacesTilesAndBorders) {
  // Two tiles of 1 x 2 side by side, zoomed twice: borders of one pixel, black around signed tiles.
  const Picture picture =
      tile(rows({1, -1, 0, 0.5}, {2, 2}),
           {.height = 1, .width = 2, .scale = TileScale::Global, .columns = 2, .zoom = 2});
  EXPECT_EQ(picture.width, 2 * (4 + 1) + 1);
  EXPECT_EQ(picture.height, 2 + 2);
  EXPECT_EQ(picture.channels, 1);
  const Pixels border(11, 0), line = {0, 255, 255, 1, 1, 0, 128, 128, 192, 192, 0};
  Pixels expected = border;
  expected.insert(expected.end(), line.begin(), line.end());
  expected.insert(expected.end(), line.begin(), line.end());
  expected.insert(expected.end(), border.begin(), border.end());
  EXPECT_EQ(picture.pixels, expected);
}

TEST(Tile, ScalesEachTileOrAll) {
  const Tensor two = rows({1, -1, 0.5, -0.25}, {2, 2});
  const TileOptions each = {.height = 1, .width = 2, .columns = 1, .zoom = 1};
  EXPECT_EQ(tile(two, each).pixels,
            (Pixels{0, 0, 0, 0, 0, 255, 1, 0, 0, 0, 0, 0, 0, 255, 64, 0, 0, 0, 0, 0}));
  TileOptions all = each;
  all.scale = TileScale::Global;
  EXPECT_EQ(tile(two, all).pixels, (Pixels{0, 0, 0, 0, 0, 255, 1, 0, 0, 0, 0, 0, 0, 192, 96, 0, 0, 0, 0, 0}));
}

TEST(Tile, UnsignedRunsFromBlackToWhite) {
  const TileOptions options = {.height = 1, .width = 5, .is_signed = false, .zoom = 1};
  const Picture picture = tile(rows({0, 1, 0.5, -3, 7}, {1, 5}), options);
  const Pixels middle(picture.pixels.begin() + picture.width, picture.pixels.begin() + 2 * picture.width);
  EXPECT_EQ(middle, (Pixels{96, 0, 255, 128, 0, 255, 96}));
}

TEST(Tile, HandlesConstantAndNonFiniteTiles) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(),
                   kInf = std::numeric_limits<double>::infinity();
  const TileOptions options = {.height = 1, .width = 4, .columns = 1, .zoom = 1};
  const auto line_of = [&](std::vector<double> values) {
    const Picture picture = tile(rows(values, {1, 4}), options);
    return Pixels(picture.pixels.begin() + picture.width + 1, picture.pixels.begin() + 2 * picture.width - 1);
  };
  EXPECT_EQ(line_of({0, 0, 0, 0}), (Pixels{128, 128, 128, 128}));
  EXPECT_EQ(line_of({2, 2, 2, 2}), (Pixels{255, 255, 255, 255}));
  EXPECT_EQ(line_of({kNan, 1, -2, kInf}), (Pixels{128, 192, 1, 255}));
  EXPECT_EQ(line_of({kNan, kNan, kNan, kNan}), (Pixels{128, 128, 128, 128}));
  EXPECT_EQ(line_of({1e-300, -1e-300, 0, 0}), (Pixels{255, 1, 128, 128}));
}

TEST(Tile, SortsByNormAndLimits) {
  const Tensor three = rows({1, 1, 3, 0, 2, 2}, {3, 2});  // squared norms 2, 9, 8
  const TileOptions options = {.height = 1,
                               .width = 2,
                               .scale = TileScale::Global,
                               .sort_by_norm = true,
                               .columns = 1,
                               .zoom = 1,
                               .limit = 2};
  const Picture picture = tile(three, options);
  EXPECT_EQ(picture.height, 5);
  EXPECT_EQ(picture.pixels, (Pixels{0, 0, 0, 0, 0, 255, 128, 0, 0, 0, 0, 0, 0, 213, 213, 0, 0, 0, 0, 0}));
}

TEST(Tile, ChoosesShapes) {
  const auto size = [](Index count, Index pixels, TileOptions options) {
    options.zoom = 1;
    const Picture picture = tile(Tensor::zeros({count, pixels}, test::f32()), options);
    return std::pair(picture.width, picture.height);
  };
  EXPECT_EQ(size(1, 784, {}), std::pair(30, 30));
  EXPECT_EQ(size(1, 12, {}), std::pair(6, 5)) << "3 x 4";
  EXPECT_EQ(size(1, 7, {}), std::pair(9, 3)) << "a prime is one line";
  EXPECT_EQ(size(1, 12, {.height = 2}), std::pair(8, 4));
  EXPECT_EQ(size(1, 12, {.width = 2}), std::pair(4, 8));
  EXPECT_EQ(size(9, 4, {}), std::pair(10, 10)) << "3 x 3 tiles";
  EXPECT_EQ(size(7, 4, {}), std::pair(10, 10)) << "the last line is not full";
  EXPECT_EQ(size(5, 4, {.columns = 5}), std::pair(16, 4));
  EXPECT_EQ(size(2, 4, {.columns = 5}), std::pair(7, 4)) << "no more columns than tiles";
}

TEST(Tile, TakesTilesWithAxesOfTheirOwn) {
  const Tensor images = Tensor::zeros({4, 1, 6, 6}, test::f32());
  EXPECT_EQ(tile(images).width, 2 * 13 + 1);
}

TEST(Tile, DrawsColours) {
  // One tile of 1 x 2: red and blue planes that differ, green 0.
  const TileOptions options = sized({.is_signed = false, .zoom = 1}, {3, 1, 2});
  EXPECT_EQ(std::tuple(options.channels, options.height, options.width), std::tuple(3, 1, 2));
  const Picture picture = tile(rows({1, 0, 0, 0, 0.2, 1}, {1, 3, 1, 2}), options);
  EXPECT_EQ(std::tuple(picture.width, picture.height, picture.channels), std::tuple(4, 3, 3));
  const Pixels middle(picture.pixels.begin() + 12 + 3, picture.pixels.begin() + 12 + 9);
  EXPECT_EQ(middle, (Pixels{255, 0, 51, 0, 0, 255}));
  // Signed: by the largest of all channels.
  const std::vector<Picture> alone =
      small_pictures(rows({2, 0, 0, 0, -1, 0}, {1, 3, 1, 2}), sized({}, {3, 1, 2}));
  EXPECT_EQ(alone.front().pixels, (Pixels{255, 128, 64, 128, 128, 128}));
  EXPECT_EQ(sized({}, {1, 4, 5}).height, 4);
  EXPECT_EQ(sized({}, {2, 4, 5}).height, 0) << "two channels are no picture";
  EXPECT_THROW(tile(rows({1, 2, 3, 4}, {1, 4}), {.channels = 3}), Error);
  EXPECT_THROW(tile(rows({1, 2, 3, 4}, {1, 4}), {.channels = 2}), Error);
}

TEST(Tile, RefusesWhatDoesNotFit) {
  const Tensor good = Tensor::zeros({2, 12}, test::f32());
  EXPECT_THROW(tile(good, {.height = 5}), Error);
  EXPECT_THROW(tile(good, {.height = 3, .width = 3}), Error);
  EXPECT_THROW(tile(good, {.zoom = 0}), Error);
  EXPECT_THROW(tile(good, {.height = -3, .width = -4}), Error);
  EXPECT_THROW(tile(Tensor()), Error);
  EXPECT_THROW(tile(Tensor::zeros({0, 12}, test::f32())), Error);
  EXPECT_THROW(tile(Tensor::zeros({3, 0}, test::f32())), Error);
  EXPECT_THROW(tile(Tensor::zeros({12}, test::f32())), Error);
}

TEST(Png, RoundTrips) {
  const Folder folder;
  const Picture grey{3, 2, 1, {0, 128, 255, 1, 2, 3}};
  save_png(grey, folder / "grey.png");
  const Picture grey_back = load_png(folder / "grey.png");
  EXPECT_EQ(std::tuple(grey_back.width, grey_back.height, grey_back.channels), std::tuple(3, 2, 1));
  EXPECT_EQ(grey_back.pixels, grey.pixels);
  const Picture colour{1, 2, 3, {255, 0, 10, 7, 8, 9}};
  save_png(colour, folder / "colour.png");
  const Picture colour_back = load_png(folder / "colour.png");
  EXPECT_EQ(std::tuple(colour_back.width, colour_back.height, colour_back.channels), std::tuple(1, 2, 3));
  EXPECT_EQ(colour_back.pixels, colour.pixels);
  EXPECT_EQ(folder.read("grey.png")[25], 0) << "the colour type of PNG's header: grey";
}

TEST(Png, RefusesWhatItCannotWriteOrRead) {
  const Folder folder;
  EXPECT_THROW(save_png({2, 2, 1, {0, 0, 0}}, folder / "x.png"), Error);
  EXPECT_THROW(save_png({0, 0, 1, {}}, folder / "x.png"), Error);
  EXPECT_THROW(save_png({1, 1, 2, {0, 0}}, folder / "x.png"), Error);
  EXPECT_THROW(save_png({40000, 1, 1, Pixels(40000)}, folder / "x.png"), Error);
  EXPECT_THROW(save_png({1, 1, 1, {0}}, folder / "missing/x.png"), Error);
  EXPECT_TRUE(folder.names().empty());
  save_png({64, 64, 1, Pixels(64 * 64)}, folder / "good.png");
  const std::string good = folder.read("good.png");
  for (const std::size_t length : {std::size_t{0}, std::size_t{8}, std::size_t{30}, good.size() / 2}) {
    folder.write("bad.png", good.substr(0, length));
    EXPECT_THROW(load_png(folder / "bad.png"), Error) << length;
  }
  EXPECT_THROW(load_png(folder / "absent.png"), Error);
}

}  // namespace
}  // namespace basin
