#include "results/pictures/sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "results/pictures/canvas.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr int kMargin = 10, kGap = 5, kLine = 16;  // in screen pixels; a line of words
constexpr int kMostZoom = 16;

double widest(const Pen& pen, const std::vector<std::string>& words) {
  double most = 0.0;
  for (const std::string& word : words) most = std::max(most, pen.width_of(word));
  return most;
}

void check(const SheetPart& part) {
  const std::size_t count = part.pictures.size();
  const auto columns = static_cast<std::size_t>(std::max(part.columns, 1));
  const auto same = [&](const Picture& picture) {
    return picture.width == part.pictures.front().width && picture.height == part.pictures.front().height;
  };
  if (count > 0 && part.columns > 0 && std::ranges::all_of(part.pictures, same) &&
      (part.captions.empty() || part.captions.size() == count) &&
      (part.rows.empty() || part.rows.size() == (count + columns - 1) / columns)) {
    return;
  }
  throw Error(
      fmt::format("[sheet] expected pictures of one size, a caption each and a name a row, received {} "
                  "pictures in {} columns, {} captions and {} names",
                  count, part.columns, part.captions.size(), part.rows.size()));
}

/// Where one part's pictures and words stand, below `top`.
struct Layout {
  int zoom = 1;
  int left = 0, top = 0;  // of the first picture
  int picture_width = 0, picture_height = 0;
  int step_x = 0, step_y = 0;        // from picture to picture
  double right = 0.0, bottom = 0.0;  // of the part

  Layout(const SheetPart& part, const SheetOptions& options, const Pen& pen, int begin) {
    const Picture& first = part.pictures.front();
    const int longer = std::max(first.width, first.height);
    zoom = std::max(options.zoom, std::min(kMostZoom, (options.side + longer / 2) / longer));
    picture_width = first.width * zoom;
    picture_height = first.height * zoom;
    pen.set_font(kTextSize);
    left = kMargin + (part.rows.empty() ? 0 : static_cast<int>(widest(pen, part.rows)) + 2 * kGap);
    const double words = part.captions.empty() ? 0.0 : widest(pen, part.captions);
    step_x = std::max(picture_width, static_cast<int>(words) + 1) + kGap;
    step_y = picture_height + kGap + (part.captions.empty() ? 0 : kLine);
    top = begin + (part.heading.empty() ? 0 : kLine + kGap);
    const int count = static_cast<int>(part.pictures.size());
    right =
        std::max<double>(left + std::min(count, part.columns) * step_x, kMargin + pen.width_of(part.heading));
    bottom = top + (count + part.columns - 1) / part.columns * step_y;
  }
};

void draw(const SheetPart& part, const Layout& at, const Canvas& canvas) {
  const Pen& pen = canvas.pen();
  pen.set_font(kTextSize);
  pen.set(kInk);
  pen.write(part.heading, kMargin, at.top - kGap - 3, Align::Left);
  for (std::size_t i = 0; i < part.pictures.size(); ++i) {
    const int column = static_cast<int>(i) % part.columns, row = static_cast<int>(i) / part.columns;
    // In the middle of the place that the captions ask for.
    const int x = at.left + column * at.step_x + (at.step_x - kGap - at.picture_width) / 2;
    const int y = at.top + row * at.step_y;
    canvas.fill(kFrame, x - 1, y - 1, at.picture_width + 2, at.picture_height + 2);
    canvas.paste(part.pictures[i], x, y, at.zoom);
    pen.set(kInk);
    if (!part.captions.empty())
      pen.write(part.captions[i], x + at.picture_width / 2.0, y + at.picture_height + kLine - 3,
                Align::Centre);
    if (!part.rows.empty() && column == 0)
      pen.write(part.rows[static_cast<std::size_t>(row)], at.left - 2 * kGap,
                y + at.picture_height / 2.0 + 0.36 * kTextSize, Align::Right);
  }
}

constexpr int kBar = 128, kBarHeight = 10;

double width_of(const GreyScale& scale, const Pen& pen) {
  if (scale.white.empty()) return 0.0;
  return 2 * kMargin + kBar + 4 * kGap + pen.width_of(scale.black) + pen.width_of(scale.white) +
         pen.width_of(scale.grey);
}

/// A bar from black to white between its words; what grey means stands behind them.
void draw(const GreyScale& scale, double y, const Canvas& canvas) {
  if (scale.white.empty()) return;
  const Pen& pen = canvas.pen();
  pen.set_font(kTextSize);
  const double line = y + kBarHeight, left = kMargin + pen.width_of(scale.black) + kGap;
  for (int i = 0; i < kBar; ++i) {
    const double grey = i / (kBar - 1.0);
    canvas.fill({grey, grey, grey}, std::floor(left) + i, y, 1, kBarHeight);
  }
  pen.set(kInk);
  pen.write(scale.black, kMargin, line, Align::Left);
  pen.write(scale.white, left + kBar + kGap, line, Align::Left);
  if (!scale.grey.empty())
    pen.write(scale.grey, left + kBar + 3 * kGap + pen.width_of(scale.white), line, Align::Left);
}

}  // namespace

Picture sheet(const std::vector<SheetPart>& parts, const SheetOptions& options) {
  const Canvas scratch(1, 1);  // words are measured on it
  const Pen& pen = scratch.pen();
  pen.set_font(kTitleSize, Weight::Bold);
  double width = std::max<double>(options.least_width, 2 * kMargin + pen.width_of(options.title));
  double bottom = options.title.empty() ? kMargin : kMargin + kTitleSize + 2 * kGap;
  std::vector<Layout> layouts;
  for (const SheetPart& part : parts) {
    check(part);
    layouts.emplace_back(part, options, pen, static_cast<int>(bottom));
    width = std::max(width, layouts.back().right + kMargin);
    bottom = layouts.back().bottom + kGap;
  }
  pen.set_font(kTextSize);
  width = std::max(width, width_of(options.scale, pen));
  const Canvas canvas(width, bottom + kGap + (options.scale.white.empty() ? 0 : kLine + kGap));
  canvas.pen().set(kInk);
  canvas.pen().set_font(kTitleSize, Weight::Bold);
  canvas.pen().write(options.title, kMargin, kMargin + kTitleSize, Align::Left);
  for (std::size_t i = 0; i < parts.size(); ++i) draw(parts[i], layouts[i], canvas);
  draw(options.scale, bottom + kGap, canvas);
  return canvas.picture();
}

}  // namespace basin
