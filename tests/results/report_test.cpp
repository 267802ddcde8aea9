// Pages: texts that mean harm stay texts, and all that a page needs is inside it.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "results/files/sha256.h"
#include "results/report/assets.h"
#include "results/report/escape.h"
#include "results/report/page.h"
#include "support/contains.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::contains;

const std::string kHostile = "</script><img src=x onerror=\"a()\">'&amp;\xE2\x80\xA8\xE2\x80\xA9";

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Escape, HtmlHasNoMarkupLeft) {
  EXPECT_EQ(escape_html("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
  EXPECT_EQ(escape_html("caf\xC3\xA9 \xE2\x88\x82 \xF0\x9F\x98\x80\n\t"),
            "caf\xC3\xA9 \xE2\x88\x82 \xF0\x9F\x98\x80\n\t");
  const std::string safe = escape_html(kHostile);
  EXPECT_EQ(safe.find_first_of("<>\"'"), std::string::npos) << safe;
}

TEST(Escape, WhatIsNoUtf8BecomesTheSignForThat) {
  const std::string sign = "\xEF\xBF\xBD";
  EXPECT_EQ(escape_html(std::string("a\0b\x1b\x7f", 5)), "a" + sign + "b" + sign + sign);
  EXPECT_EQ(escape_html("\xff"
                        "a\xC3"),
            sign + "a" + sign);                                           // no first byte; cut short
  EXPECT_EQ(escape_html("\xC0\xBC"), sign + sign);                        // '<' in two bytes
  EXPECT_EQ(escape_html("\xED\xA0\x80"), sign + sign + sign);             // a surrogate
  EXPECT_EQ(escape_html("\xF4\x90\x80\x80"), sign + sign + sign + sign);  // above U+10FFFF
  EXPECT_EQ(escape_html("\xE2\x88"
                        "<"),
            sign + sign + "&lt;");  // what follows a broken one is escaped
}

TEST(Escape, JsonCannotEndItsScript) {
  EXPECT_EQ(json_string("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
  EXPECT_EQ(json_string("</script>&\xE2\x80\xA8\xE2\x80\xA9"),
            "\"\\u003c/script\\u003e\\u0026\\u2028\\u2029\"");
  EXPECT_EQ(json_string("\xC3\xA9"), "\"\xC3\xA9\"");
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(json_number(-std::numeric_limits<double>::infinity()), "null");
}

TEST(Escape, Base64IsThatOfTheStandard) {  // RFC 4648, section 10
  const char* const pairs[][2] = {{"", ""},
                                  {"f", "Zg=="},
                                  {"fo", "Zm8="},
                                  {"foo", "Zm9v"},
                                  {"foob", "Zm9vYg=="},
                                  {"fooba", "Zm9vYmE="},
                                  {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : pairs) EXPECT_EQ(base64(bytes), text);
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

/// A page on which everything is named with harm in mind.
std::string hostile_page() {
  Page page(kHostile);
  page.section(kHostile).heading(kHostile).paragraph(kHostile);
  page.table(TextTable({kHostile, "b"}).add({kHostile, kHostile}), {0});
  page.fold(kHostile).preformatted(kHostile).unfold();
  page.figures({{.png = "PNG", .caption = kHostile}});
  page.slides(kHostile, {{.label = kHostile, .png = "1"}, {.label = kHostile, .png = "2"}});
  page.charts({{.title = kHostile,
                .x_label = kHostile,
                .y_label = kHostile,
                .lines = {{.label = kHostile, .x = {1, 2}, .y = {0.5, 0.25}}}}});
  return page.html();
}

TEST(Page, HostileNamesStayNames) {
  const std::string html = hostile_page();
  EXPECT_FALSE(contains(html, "<img src=x"));
  EXPECT_FALSE(contains(html, "onerror=\""));
  EXPECT_FALSE(contains(html, "\xE2\x80\xA8\"")) << "in a script";
  // The data of the chart and two scripts, each ended once.
  EXPECT_EQ(count(html, "<script"), 3u);
  EXPECT_EQ(count(html, "</script>"), 3u);
}

TEST(Page, AsksForNothing) {
  std::string html = hostile_page();
  for (const std::string_view script : {kUplotScript, kReportScript})
    html.erase(html.find(script), script.size());
  for (const char* attribute : {"src=\"", "href=\"", "action=\"", "data=\""}) {
    for (std::size_t at = html.find(attribute); at != std::string::npos; at = html.find(attribute, at + 1)) {
      const std::string value = html.substr(at + std::string(attribute).size(), 5);
      EXPECT_TRUE(value == "data:" || value[0] == '#') << value;
    }
  }
  for (const char* word : {"<link", "<iframe", "<object", "<base", "@import", "url(", "fetch("})
    EXPECT_FALSE(contains(html, word)) << word;
  EXPECT_TRUE(contains(html, "default-src 'none'; img-src data:;"));
  EXPECT_FALSE(contains(html, "unsafe-inline"));
  EXPECT_TRUE(contains(html, "Copyright (c) 2022 Leon Sorokin")) << "its licence goes with uPlot";
}

TEST(Page, LetsItsOwnScriptsRunByTheirDigests) {
  // What `printf abc | openssl dgst -sha256 -binary | base64` says of them, from their hexadecimal digests.
  const std::string html = hostile_page();
  for (const std::string_view text : {kUplotScript, kReportScript, kUplotStyle, kReportStyle}) {
    const std::string hex = Sha256().update(text).hex();
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    EXPECT_TRUE(contains(html, "'sha256-" + base64(bytes) + "'"));
  }
}

TEST(Page, CurvesShareTheirPlacesAndLeaveOutWhatIsNotFinite) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Page page("p");
  page.charts({{.title = "t",
                .x_label = "epoch",
                .y_label = "error",
                .lines = {{.label = "a", .x = {1, 3}, .y = {0.5, kNone}, .colour = 2},
                          {.label = "b", .x = {2, 3}, .y = {4, 1e-7}, .dash = 1}}}});
  EXPECT_TRUE(contains(page.html(), R"({"x_label":"epoch","y_label":"error","x":[1,2,3],"lines":[)"
                                    R"({"label":"a","colour":2,"dash":0,"y":[0.5,null,null]},)"
                                    R"({"label":"b","colour":0,"dash":1,"y":[null,4,1e-07]}]})"));
  EXPECT_THROW(page.charts({{.title = "t", .lines = {{.label = "a", .x = {1}, .y = {}}}}}), Error);
  EXPECT_THROW(page.slides("s", {}), Error);
}

TEST(Page, MarksRowsAndSetsNumbersToTheRight) {
  Page page("p");
  page.table(TextTable({"key", "a", "b"}).add({"x", "1", "one"}).add({"y", "-", "2"}), {1});
  const std::string html = page.html();
  EXPECT_TRUE(contains(html, "<tr><th>x</th><td class=\"number\">1</td><td>one</td></tr>"));
  EXPECT_TRUE(contains(html, "<tr class=\"marked\"><th>y</th><td class=\"number\">-</td><td>2</td></tr>"));
}

}  // namespace
}  // namespace basin
