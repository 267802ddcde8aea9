// Pictures with words: sheets of small ones, matrices of counts, surfaces.
#include "results/pictures/sheet.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "results/pictures/matrix.h"
#include "results/pictures/surface.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Pixel = std::array<int, 3>;

Pixel at(const Picture& picture, int x, int y) {
  const auto begin = static_cast<std::size_t>((y * picture.width + x) * picture.channels);
  const auto c = [&](std::size_t i) { return int{picture.pixels[begin + (picture.channels == 3 ? i : 0)]}; };
  return {c(0), c(1), c(2)};
}

/// Pixels of a colour.
int count(const Picture& picture, const Pixel& colour) {
  int found = 0;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) found += at(picture, x, y) == colour;
  }
  return found;
}

const Picture kRed{2, 1, 3, {250, 0, 0, 250, 0, 0}}, kGreen{2, 1, 3, {0, 250, 0, 0, 250, 0}};

TEST(Sheet, ShowsEachPictureAsLargeAsAsked) {
  const Picture picture = sheet({{.pictures = {kRed, kGreen, kRed}, .columns = 2}}, {.zoom = 4, .side = 8});
  EXPECT_EQ(picture.channels, 3);
  EXPECT_EQ(picture.width, 300);
  EXPECT_EQ(count(picture, {250, 0, 0}), 2 * 2 * 16);
  EXPECT_EQ(count(picture, {0, 250, 0}), 2 * 16);
  // The first row: red, then green to its right; red again below.
  int x = 0, y = 0;
  while (at(picture, x, y) != Pixel{250, 0, 0}) {
    if (++x == picture.width) x = 0, ++y;
  }
  EXPECT_EQ(at(picture, x + 8 + 5, y), (Pixel{0, 250, 0}));
  EXPECT_EQ(at(picture, x, y + 4 + 5), (Pixel{250, 0, 0}));
  // Small ones grow to the side that is wanted.
  EXPECT_EQ(count(sheet({{.pictures = {kRed}}}, {.side = 20}), {250, 0, 0}), 20 * 10);
}

TEST(Sheet, MakesRoomForWords) {
  const auto dark = [](const Picture& picture) {
    int found = 0;
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) found += at(picture, x, y)[2] < 60 && at(picture, x, y)[0] < 60;
    }
    return found;
  };
  const Picture bare = sheet({{.pictures = {kGreen, kGreen}}});
  const int blank = dark(bare);
  const std::vector<SheetPart> with = {{.pictures = {kGreen, kGreen}, .captions = {"7 > 1", "an aeroplane"}},
                                       {.heading = "heading", .pictures = {kGreen, kGreen}},
                                       {.pictures = {kGreen, kGreen}, .rows = {"one", "two"}}};
  for (const SheetPart& part : with) EXPECT_GT(dark(sheet({part})), blank + 10);
  EXPECT_GT(dark(sheet({{.pictures = {kGreen, kGreen}}}, {.title = "title"})), blank + 10);
  // Long captions push the pictures apart.
  const std::string caption = "a caption that is wider than any picture here, and the whole sheet as well";
  EXPECT_GT(sheet({{.pictures = {kGreen}, .captions = {caption}}}).width, 350);
}

TEST(Sheet, SaysWhatItsGreyLevelsMean) {
  const SheetPart part{.pictures = {kGreen}};
  const Picture bare = sheet({part}), told = sheet({part}, {.scale = {.black = "0", .white = "1"}});
  EXPECT_GT(told.height, bare.height);
  // From black to white, a column of pixels a level.
  int y = told.height - 1, levels = 0;
  for (; y > 0 && levels < 120; --y) {
    levels = 0;
    for (int x = 1; x < told.width; ++x)
      levels += at(told, x, y)[0] > at(told, x - 1, y)[0] && at(told, x, y)[0] - at(told, x - 1, y)[0] < 5;
  }
  EXPECT_GE(levels, 120);
  const std::string words =
      "what grey means, in so many words that the whole sheet becomes as wide as they are";
  EXPECT_GT(sheet({part}, {.scale = {.black = "-", .grey = words, .white = "+"}}).width, 450);
}

TEST(Sheet, RefusesWhatDoesNotFit) {
  const Picture grey{1, 1, 1, {7}};
  EXPECT_THROW(sheet({{.pictures = {}}}), Error);
  EXPECT_THROW(sheet({{.pictures = {kRed, grey}}}), Error) << "sizes differ";
  EXPECT_THROW(sheet({{.pictures = {kRed}, .columns = 0}}), Error);
  EXPECT_THROW(sheet({{.pictures = {kRed}, .captions = {"a", "b"}}}), Error);
  EXPECT_THROW(sheet({{.pictures = {kRed, kRed}, .columns = 2, .rows = {"a", "b"}}}), Error);
  EXPECT_THROW(
      sheet({{.pictures = std::vector<Picture>(3000, Picture{10, 20, 1, std::vector<std::uint8_t>(200)})}},
            {.zoom = 2}),
      Error)
      << "higher than a picture can be";
}

TEST(Matrix, ShadesTheDiagonalByItsShareAndErrorsByTheLargest) {
  // Row 0: 3 right of 4; row 1: all right. 0.85 of white to blue (0, 114, 178) by the share.
  const Picture picture = matrix_picture({3, 1, 0, 8}, {.title = "t", .row_label = "r", .column_label = "c"});
  EXPECT_GE(picture.width, 300);
  const auto blue = [](double share) {
    const auto part = [&](double c) {
      return static_cast<int>(std::lround(255 * (1 + 0.85 * share * (c - 1))));
    };
    return Pixel{part(0.000), part(0.447), part(0.698)};
  };
  const auto near = [&](const Pixel& colour) {  // a cell has a few hundred pixels of its colour
    int found = 0;
    for (int dr = -1; dr <= 1; ++dr) {
      for (int dg = -1; dg <= 1; ++dg) {
        for (int db = -1; db <= 1; ++db)
          found += count(picture, {colour[0] + dr, colour[1] + dg, colour[2] + db});
      }
    }
    return found;
  };
  EXPECT_GT(near(blue(0.75)), 200);
  EXPECT_GT(near(blue(1.0)), 200);
  const Pixel red = {static_cast<int>(std::lround(255 * (1 + 0.85 * (0.835 - 1)))),
                     static_cast<int>(std::lround(255 * (1 + 0.85 * (0.369 - 1)))),
                     static_cast<int>(std::lround(255 * 0.15))};
  EXPECT_GT(near(red), 200);
  EXPECT_THROW(matrix_picture({1, 2, 3}, {}), Error);
  EXPECT_THROW(matrix_picture({}, {}), Error);
  EXPECT_THROW(matrix_picture({1, 2, 3, 4}, {.names = {"one"}}), Error);
  EXPECT_GT(matrix_picture(std::vector<std::int64_t>(10000, 1), {}).width, 800) << "100 classes, no numbers";
}

TEST(Surface, IsDarkWhereItIsLow) {
  Surface surface{.low = -1.0, .high = 1.0};
  for (int j = 0; j < 5; ++j) {
    for (int i = 0; i < 5; ++i) surface.heights.push_back(i);  // rises to the right
  }
  EXPECT_EQ(surface.side(), 5u);
  EXPECT_DOUBLE_EQ(surface.at(1), -0.5);
  const Picture picture = surface_picture(surface, {.title = "t", .marks = {{0.0, 0.0}, {9.0, 0.0}}});
  EXPECT_EQ(std::tuple(picture.width, picture.height, picture.channels), std::tuple(560, 560, 3));
  const auto light = [&](int x) { return at(picture, x, 100)[1]; };
  EXPECT_LT(light(80), light(200));
  EXPECT_LT(light(200), light(530));
  EXPECT_GT(count(picture, {213, 94, 0}), 50) << "a mark inside, none for the point outside";
  EXPECT_LT(count(picture, {213, 94, 0}), 120);
  surface.heights[3] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(surface_picture(surface, {}), Error);
  EXPECT_THROW(surface_picture({.heights = {1, 2, 3}}, {}), Error);
  EXPECT_THROW(surface_picture({.heights = {1}}, {}), Error);
}

}  // namespace
}  // namespace basin
