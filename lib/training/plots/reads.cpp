#include <fmt/format.h>

#include <algorithm>

#include "results/pictures/sheet.h"
#include "training/measures/reading.h"
#include "training/plots/images.h"
#include "training/plots/plot.h"

/// The plot "reads": strings that a stage is judged by, with its best cuts, and what it reads there.
namespace basin {
namespace {

constexpr Index kShown = 24;
constexpr int kZoom = 3, kColumns = 4;

/// A grey picture, larger, with red lines at some columns.
Picture with_cuts(const Picture& grey, const std::vector<Index>& cuts) {
  Picture drawn{.width = grey.width * kZoom, .height = grey.height * kZoom, .channels = 3, .pixels = {}};
  for (int y = 0; y < drawn.height; ++y) {
    for (int x = 0; x < drawn.width; ++x) {
      const bool is_cut =
          std::any_of(cuts.begin(), cuts.end(), [&](Index cut) { return x == cut * kZoom - 1; });
      const std::uint8_t ink =
          grey.pixels[static_cast<std::size_t>((y / kZoom * grey.width + x / kZoom) * grey.channels)];
      for (int c = 0; c < 3; ++c) drawn.pixels.push_back(is_cut ? (c == 0 ? 255 : 40) : ink);
    }
  }
  return drawn;
}

std::string text_of(const Dataset& data, const std::string& column, const String& string) {
  std::string text;
  for (const std::int64_t character : string) text += category_name(data, column, character);
  return text.empty() ? "nothing" : text;
}

}  // namespace

void check_reads(const Stage& stage) {
  need<StringReader>(stage, "reads");
  (void)sample_picture_shape(stage, "reads");
}

void draw_reads(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  need<StringReader>(view.stage, "reads");
  const Part part = judged(view);
  const Index limit = drawing.tiles.limit > 0 ? drawing.tiles.limit : kShown;
  const Samples shown = part.samples.head(std::min(limit, part.samples.count));
  const Reading found = read_strings(view, shown, shown.count);
  const std::string& column = view.stage.inputs.at(1).column;
  const State batch = first_samples(view, shown.count);
  const std::vector<Picture> grey = sample_pictures(batch[view.stage.inputs.at(0).variable].tensor(), shown);
  SheetPart sheet_part{.heading = "what is read, between the cuts (is: what it should be)",
                       .columns = kColumns};
  for (std::size_t n = 0; n < grey.size(); ++n) {
    sheet_part.pictures.push_back(with_cuts(grey[n], found.cuts[n]));
    std::string caption = text_of(view.data(), column, found.read[n]);
    if (found.read[n] != found.labels[n])
      caption += fmt::format(" (is: {})", text_of(view.data(), column, found.labels[n]));
    sheet_part.captions.push_back(std::move(caption));
  }
  save_png(sheet({sheet_part}, {.title = drawing.title, .least_width = drawing.tiles.least_width}),
           drawing.path);
}

}  // namespace basin
