#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "results/text_table.h"

namespace basin {

/// A picture on a page.
struct Figure {
  std::string png;  // its bytes
  std::string caption;
};

/// A picture at one of several moments that a slider goes through.
struct Moment {
  std::string label;  // "epoch 5"
  std::string png;
};

/// A curve of a chart. Lines of one colour belong together, and differ in their dashes.
struct ChartLine {
  std::string label;
  std::vector<double> x, y;  // of equal length, x rising; a y that is not finite is left out
  std::size_t colour = 0, dash = 0;
};

struct Chart {
  std::string title, x_label = {}, y_label = {};
  std::vector<ChartLine> lines = {};
};

/// One HTML page that needs nothing else: style, scripts, data and pictures are inside, nothing is fetched
/// (which its content security policy also says), and no script runs but the two that are known by their
/// SHA-256. All texts are given as they are; the page escapes them. Charts are drawn by uPlot.
class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  /// A section, which the list at the top of the page names.
  Page& section(const std::string& title);
  Page& heading(const std::string& title);
  Page& paragraph(const std::string& text);
  /// The first row names the columns; marked rows (0 is the first below it) stand out.
  Page& table(const TextTable& table, const std::set<std::size_t>& marked = {});
  /// What follows is folded away under a line until unfold().
  Page& fold(const std::string& title);
  Page& unfold();
  /// As it is, line by line.
  Page& preformatted(const std::string& text);
  Page& figures(const std::vector<Figure>& figures);
  /// Shows the last moment first. Throws Error where there is none.
  Page& slides(const std::string& caption, const std::vector<Moment>& moments);
  /// Beside each other where there is room. Throws Error for x and y of different lengths.
  Page& charts(const std::vector<Chart>& charts);

  std::string html() const;

 private:
  std::string title_, contents_, body_;
  std::size_t sections_ = 0;
};

}  // namespace basin
