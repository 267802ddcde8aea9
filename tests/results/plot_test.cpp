#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "results/files/atomic_file.h"
#include "results/folder.h"
#include "results/pictures/axis.h"
#include "results/pictures/band.h"
#include "results/pictures/picture.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::Folder;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

TEST(Axis, HasTicksAtRoundNumbers) {
  const Axis axis = make_axis(0, 60, false, 0, 6);
  EXPECT_EQ(axis.ticks, (std::vector<double>{0, 10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(axis.labels.front(), "0");
  EXPECT_EQ(axis.labels.back(), "60");
  EXPECT_EQ(make_axis(0, 1, false, 0, 5).labels,
            (std::vector<std::string>{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(make_axis(-150, -88, false, 0, 4).labels, (std::vector<std::string>{"\xe2\x88\x92"
                                                                                "140",
                                                                                "\xe2\x88\x92"
                                                                                "120",
                                                                                "\xe2\x88\x92"
                                                                                "100"}));
  EXPECT_EQ(make_axis(0, 0.0004, false, 0, 4).labels.at(1), "0.0001");
  EXPECT_EQ(make_axis(0, 4e-9, false, 0, 4).labels.at(1),
            "1e\xe2\x88\x92"
            "09");
  EXPECT_EQ(make_axis(0, 4e9, false, 0, 4).labels.at(1), "1e+09");
}

TEST(Axis, HasTicksAtPowersOnALogAxis) {
  EXPECT_EQ(make_axis(1e-4, 1e4, true, 0, 5).labels.at(4), "1");
  EXPECT_EQ(make_axis(1e-4, 1e4, true, 0, 5).ticks.size(), 9u);
  EXPECT_EQ(make_axis(1, 100, true, 0, 5).labels,
            (std::vector<std::string>{"1", "2", "5", "10", "20", "50", "100"}));
  EXPECT_GE(make_axis(1.1, 1.3, true, 0, 5).ticks.size(), 3u) << "too short for powers";
  EXPECT_LE(make_axis(1e-100, 1e100, true, 0, 5).ticks.size(), 11u);
}

TEST(Axis, PlacesValues) {
  const Axis linear = make_axis(10, 20, false, 0.1, 5);
  EXPECT_DOUBLE_EQ(linear.low, 9);
  EXPECT_DOUBLE_EQ(linear.high, 21);
  EXPECT_DOUBLE_EQ(linear.place(15), 0.5);
  EXPECT_DOUBLE_EQ(make_axis(1, 100, true, 0, 5).place(10), 0.5);
}

TEST(Axis, SetsEqualBoundsApart) {
  for (const double value : {0.0, 1.0, -90.0, 1e-12, 1e12}) {
    const Axis axis = make_axis(value, value, false, 0.05, 5);
    EXPECT_LT(axis.low, value);
    EXPECT_GT(axis.high, value);
    EXPECT_GE(axis.ticks.size(), 2u) << value;
    EXPECT_LE(axis.ticks.size(), 12u) << value;
  }
  EXPECT_LT(make_axis(3, 3, true, 0.05, 5).low, 3);
}

std::vector<Curve> example() {
  return {{"train <a&b>", {1, 2, 3}, {3, 2, 1}},
          {"test", {1, 2, 3}, {3.5, 3, std::numeric_limits<double>::quiet_NaN()}},
          {"third", {1, 3}, {1, 3}}};
}

const PlotOptions kOptions = {
    .title = "A title", .x_label = "epoch", .y_label = "loss (nats)", .width = 400, .height = 300};

TEST(Plot, ABandLiesBehindItsCurveAndIsBrokenWhereItIsNotFinite) {
  const Folder folder;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Curve> curves = {{"a", {1, 10, 100, 1000, 10000}, {1, 2, 3, 4, 5}},
                                     {"b", {1, 10}, {2, 2}}};
  const std::vector<Band> bands = {{{0.5, 1.5, nan, 3, 4}, {2, 3, 4, 5, 16}}, {{nan, nan}, {nan, nan}}};
  PlotOptions options;
  options.log_x = true;
  save_plot(curves, bands, options, folder / "a.svg");
  const auto areas = [](const std::string& svg) {  // as older and newer versions of cairo write it
    return count(svg, "fill-opacity:0.18") + count(svg, "fill-opacity=\"0.18");
  };
  EXPECT_EQ(areas(read_whole(folder / "a.svg")), 2u);  // two stretches of the first, none of the second
  save_plot(curves, options, folder / "b.svg");
  EXPECT_EQ(areas(read_whole(folder / "b.svg")), 0u);
  EXPECT_THROW(save_plot(curves, {bands[0]}, options, folder / "c.svg"), Error);
  EXPECT_THROW(save_plot(curves, {bands[0], {{1}, {2, 3}}}, options, folder / "c.svg"), Error);
}

TEST(Plot, SvgHoldsOnePathACurve) {
  const Folder folder;
  save_plot(example(), kOptions, folder / "a.svg");
  std::string svg = folder.read("a.svg");
  std::erase(svg, ' ');
  // cairo writes style="stroke-width:1.8;...", from 1.18 on stroke-width="1.8".
  const auto has = [&](const char* style, const char* attribute) {
    return count(svg, style) + count(svg, attribute);
  };
  EXPECT_EQ(has("stroke-width:1.8;", "stroke-width=\"1.8\""), 3u) << "the curves' pen";
  EXPECT_EQ(has("stroke-width:3;", "stroke-width=\"3\""), 3u) << "the legend's";
  EXPECT_EQ(has("stroke:rgb(0%,44.7", "stroke=\"rgb(0%,44.7"), 2u) << "the first colour: curve and legend";
  if (std::system("xmllint --version > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "xmllint is not installed (package libxml2-utils)";
  }
  EXPECT_EQ(std::system(("xmllint --noout --nonet " + (folder / "a.svg")).c_str()), 0);
}

/// Pixels of (about) a colour.
std::size_t count_pixels(const Picture& picture, int red, int green, int blue) {
  std::size_t found = 0;
  for (std::size_t i = 0; i + 2 < picture.pixels.size(); i += 3) {
    const auto is_near = [&](std::size_t channel, int wanted) {
      return std::abs(picture.pixels[i + channel] - wanted) <= 2;
    };
    found += is_near(0, red) && is_near(1, green) && is_near(2, blue) ? 1 : 0;
  }
  return found;
}

TEST(Plot, PngShowsTheCurves) {
  const Folder folder;
  save_plot(example(), kOptions, folder / "a.png");
  const Picture picture = load_png(folder / "a.png");
  EXPECT_EQ(std::pair(picture.width, picture.height), std::pair(400, 300));
  EXPECT_GT(count_pixels(picture, 0, 114, 178), 100u) << "blue, the first curve";
  EXPECT_GT(count_pixels(picture, 213, 94, 0), 50u) << "vermilion, the second";
  EXPECT_GT(count_pixels(picture, 255, 255, 255), 80000u) << "paper";
  EXPECT_EQ(count_pixels(picture, 204, 121, 167), 0u) << "no fourth curve";
}

TEST(Plot, DrawsTheSameTwice) {
  const Folder folder;
  save_plot(example(), kOptions, folder / "a.png");
  save_plot(example(), kOptions, folder / "b.png");
  EXPECT_EQ(folder.read("a.png"), folder.read("b.png"));
}

TEST(Plot, SurvivesOddCurves) {
  const Folder folder;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(),
                   kInf = std::numeric_limits<double>::infinity();
  PlotOptions log = kOptions;
  log.log_y = true;
  const std::vector<std::vector<double>> odd = {
      {}, {5}, {kNan}, {kInf, -kInf}, {1, 1, 1}, {0, -1, 2}, {1e308, -1e308, 1}, {1e-320, 1}, {-1, -2}};
  for (const std::vector<double>& y : odd) {
    std::vector<double> x;
    for (std::size_t i = 0; i < y.size(); ++i) {
      x.push_back(static_cast<double>(i));
    }
    for (const PlotOptions& options : {kOptions, log}) {
      save_plot({{"odd", x, y}}, options, folder / "odd.png");
      save_plot({{"odd", x, y}}, options, folder / "odd.svg");
      EXPECT_EQ(count(folder.read("odd.svg"), "nan") + count(folder.read("odd.svg"), "inf\""), 0u);
    }
  }
}

TEST(Plot, ThinsLongCurvesButKeepsTheirPeaks) {
  const Folder folder;
  Curve curve;
  for (int i = 0; i < 100000; ++i) {
    curve.x.push_back(i);
    curve.y.push_back(i == 54321 ? 1 : 0);
  }
  save_plot({curve}, kOptions, folder / "long.svg");
  EXPECT_LT(folder.read("long.svg").size(), 200000u);
  save_plot({curve}, kOptions, folder / "long.png");
  const Picture picture = load_png(folder / "long.png");
  std::size_t rows = 0;
  for (int y = 0; y < picture.height; ++y) {
    bool has_blue = false;
    for (int x = 100; x < 380; ++x) {
      const std::size_t at = 3 * (static_cast<std::size_t>(y) * 400 + static_cast<std::size_t>(x));
      has_blue = has_blue || picture.pixels[at] + 60 < picture.pixels[at + 2];
    }
    rows += has_blue ? 1 : 0;
  }
  EXPECT_GT(rows, 150u) << "the peak spans the plot";
}

TEST(Plot, RefusesWhatItCannotDraw) {
  const Folder folder;
  EXPECT_THROW(save_plot(example(), kOptions, folder / "a.jpg"), Error);
  EXPECT_THROW(save_plot(example(), kOptions, folder / "a"), Error);
  EXPECT_THROW(save_plot({}, kOptions, folder / "a.png"), Error);
  EXPECT_THROW(save_plot({{"a", {1, 2}, {1}}}, kOptions, folder / "a.png"), Error);
  PlotOptions small = kOptions;
  small.width = 30;
  EXPECT_THROW(save_plot(example(), small, folder / "a.png"), Error);
  EXPECT_THROW(save_plot(example(), kOptions, folder / "missing/a.png"), Error);
  EXPECT_TRUE(folder.names().empty());
}

TEST(Plot, PointsOfPowersStandEvenlyOnALogAxis) {
  const Folder folder;
  save_plot({{"", {0.0, 1, 2, 4, 8, 16}, {1, 1, 1, 1, 1, 1}}},
            {.title = "", .x_label = "x", .y_label = "y", .log_x = true, .x_ticks = {1, 2, 4, 8, 16}},
            folder / "log.png");
  const Picture picture = load_png(folder / "log.png");
  // Marks are higher than the line between them.
  std::vector<double> centres;
  int run = 0;
  for (int x = 0; x < picture.width; ++x) {
    int high = 0;
    for (int y = 0; y < picture.height; ++y) {
      const auto at = static_cast<std::size_t>((y * picture.width + x) * 3);
      high += picture.pixels[at] < 60 && picture.pixels[at + 2] > 150 ? 1 : 0;
    }
    if (high >= 4) {
      ++run;
    } else if (run > 0) {
      centres.push_back(x - (run + 1) / 2.0);
      run = 0;
    }
  }
  ASSERT_EQ(centres.size(), 5u);  // not the one at 0
  for (std::size_t i = 2; i < centres.size(); ++i)
    EXPECT_NEAR(centres[i] - centres[i - 1], centres[1] - centres[0], 1.01);
}

}  // namespace
}  // namespace basin
