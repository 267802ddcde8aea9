#include "results/report/page.h"

#include <fmt/format.h>

#include <cstdlib>
#include <limits>
#include <map>
#include <string_view>

#include "results/files/sha256.h"
#include "results/report/assets.h"
#include "results/report/escape.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// What a content security policy knows an inline script or style by.
std::string source_hash(std::string_view text) {
  const std::string hex = Sha256().update(text).hex();
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::strtol(hex.substr(i, 2).c_str(), nullptr, 16));
  return fmt::format("'sha256-{}'", base64(bytes));
}

bool is_number(const std::string& text) {
  char* end = nullptr;
  (void)std::strtod(text.c_str(), &end);
  return end != text.c_str() && (*end == '\0' || std::string_view(end) == " %");
}

std::string image(const std::string& png, const std::string& alt, const char* attributes = "") {
  return fmt::format("<img alt=\"{}\" src=\"data:image/png;base64,{}\"{}>", escape_html(alt), base64(png),
                     attributes);
}

std::string json_numbers(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers)
    text += fmt::format("{}{}", text.empty() ? "" : ",", json_number(number));
  return fmt::format("[{}]", text);
}

/// All x of all lines once, and for each line a y, or null, for each of them.
std::string json_chart(const Chart& chart) {
  std::map<double, std::size_t> places;
  for (const ChartLine& line : chart.lines) {
    if (line.x.size() != line.y.size())
      throw Error(fmt::format("[page] expected as many y as x of {}, received {} and {}", line.label,
                              line.y.size(), line.x.size()));
    for (const double x : line.x) places.emplace(x, 0);
  }
  std::vector<double> all;
  for (auto& [x, place] : places) {
    place = all.size();
    all.push_back(x);
  }
  std::string lines;
  for (const ChartLine& line : chart.lines) {
    std::vector<double> y(all.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < line.x.size(); ++i) y[places[line.x[i]]] = line.y[i];
    lines += fmt::format("{}{{\"label\":{},\"colour\":{},\"dash\":{},\"y\":{}}}", lines.empty() ? "" : ",",
                         json_string(line.label), line.colour, line.dash, json_numbers(y));
  }
  return fmt::format("{{\"x_label\":{},\"y_label\":{},\"x\":{},\"lines\":[{}]}}", json_string(chart.x_label),
                     json_string(chart.y_label), json_numbers(all), lines);
}

}  // namespace

Page& Page::section(const std::string& title) {
  const std::string escaped = escape_html(title);
  ++sections_;
  contents_ += fmt::format("<a href=\"#section-{}\">{}</a>\n", sections_, escaped);
  body_ += fmt::format("<h2 id=\"section-{}\">{}</h2>\n", sections_, escaped);
  return *this;
}

Page& Page::heading(const std::string& title) {
  body_ += fmt::format("<h3>{}</h3>\n", escape_html(title));
  return *this;
}

Page& Page::paragraph(const std::string& text) {
  body_ += fmt::format("<p>{}</p>\n", escape_html(text));
  return *this;
}

Page& Page::table(const TextTable& table, const std::set<std::size_t>& marked) {
  body_ += "<div class=\"wide\"><table>\n";
  const auto& rows = table.rows();
  std::vector<bool> counts(rows.front().size(), rows.size() > 1);  // columns of numbers alone, to the right
  for (std::size_t r = 1; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < counts.size(); ++c)
      counts[c] = c > 0 && counts[c] && (is_number(rows[r][c]) || rows[r][c] == "-");
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    body_ += r == 0 ? "<thead><tr>" : marked.contains(r - 1) ? "<tr class=\"marked\">" : "<tr>";
    for (std::size_t c = 0; c < counts.size(); ++c) {
      body_ += fmt::format("<{0}{2}>{1}</{0}>", r == 0 || c == 0 ? "th" : "td", escape_html(rows[r][c]),
                           counts[c] ? " class=\"number\"" : "");
    }
    body_ += r == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
  return *this;
}

Page& Page::fold(const std::string& title) {
  body_ += fmt::format("<details><summary>{}</summary>\n", escape_html(title));
  return *this;
}

Page& Page::unfold() {
  body_ += "</details>\n";
  return *this;
}

Page& Page::preformatted(const std::string& text) {
  body_ += fmt::format("<pre>{}</pre>\n", escape_html(text));
  return *this;
}

Page& Page::figures(const std::vector<Figure>& figures) {
  if (figures.empty()) return *this;
  body_ += "<div class=\"figures\">\n";
  for (const Figure& figure : figures)
    body_ += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n",
                         image(figure.png, figure.caption), escape_html(figure.caption));
  body_ += "</div>\n";
  return *this;
}

Page& Page::slides(const std::string& caption, const std::vector<Moment>& moments) {
  if (moments.empty()) throw Error("[page] expected moments to slide through, received none");
  const std::size_t last = moments.size() - 1;
  body_ += "<figure class=\"slides\">\n";
  for (std::size_t i = 0; i <= last; ++i)
    body_ += image(moments[i].png, moments[i].label, i == last ? "" : " hidden") + "\n";
  const std::string escaped = escape_html(caption);
  body_ += fmt::format(
      "<div class=\"slider\"><input type=\"range\" min=\"0\" max=\"{0}\" value=\"{0}\" "
      "aria-label=\"{1}\"><output>{2}</output></div>\n<figcaption>{1}</figcaption></figure>\n",
      last, escaped, escape_html(moments[last].label));
  return *this;
}

Page& Page::charts(const std::vector<Chart>& charts) {
  if (charts.empty()) return *this;
  body_ += "<div class=\"charts\">\n";
  for (const Chart& chart : charts) {
    body_ += fmt::format(
        "<div class=\"chart\"><div class=\"bar\"><h4>{}</h4><button type=\"button\">log scale</button></div>"
        "<div class=\"plot\"></div>\n<script type=\"application/json\">{}</script></div>\n",
        escape_html(chart.title), json_chart(chart));
  }
  body_ += "</div>\n";
  return *this;
}

std::string Page::html() const {
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "{} {}; script-src {} {}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n",
      source_hash(kUplotStyle), source_hash(kReportStyle), source_hash(kUplotScript),
      source_hash(kReportScript), escape_html(title_));
  text += fmt::format("<style>{}</style>\n<style>{}</style>\n</head>\n<body>\n", kUplotStyle, kReportStyle);
  text += fmt::format("<header><h1>{}</h1>\n<nav>\n{}</nav></header>\n<main>\n{}", escape_html(title_),
                      contents_, body_);
  text += fmt::format(
      "</main>\n<footer><noscript><p>Curves and sliders need JavaScript, which is part of this "
      "page.</p></noscript>\n"
      "<details><summary>Curves are drawn by uPlot, under the MIT licence</summary><pre>{}</pre></details>"
      "</footer>\n<script>{}</script>\n<script>{}</script>\n</body>\n</html>\n",
      escape_html(kUplotLicence), kUplotScript, kReportScript);
  return text;
}

}  // namespace basin
