#include "benchmarks/gpu/gpu_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

#include "benchmarks/gpu/gpu_case.h"

namespace basin::benchmarks {
namespace {

constexpr const char* kNone = "not measured";

/// The text or number under a name in one flat line of JSON; "" where there is none.
std::string field(const std::string& line, const std::string& name) {
  const std::string key = fmt::format("\"{}\": ", name);
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + key.size();
  if (line[begin] == '"') return line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
  return line.substr(begin, line.find_first_of(",}", begin) - begin);
}

/// Numbers by case, who and name, over rounds.
using Numbers = std::map<std::string, std::vector<double>>;

std::optional<double> median(const Numbers& numbers, const std::string& one, const char* who,
                             const char* name) {
  const auto found = numbers.find(fmt::format("{}/{}/{}", one, who, name));
  if (found == numbers.end()) return std::nullopt;
  std::vector<double> values = found->second;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

std::string text(std::optional<double> value, const char* form = "{:.4g}") {
  return value && *value > 0.0 ? fmt::format(fmt::runtime(form), *value) : kNone;
}

std::optional<double> ratio(std::optional<double> mine, std::optional<double> other) {
  return mine && other && *other > 0.0 ? std::optional(*mine / *other) : std::nullopt;
}

/// "2 x eager: met (2.4)" and the like, of all that the case wants.
std::string targets(const Case& one, const std::map<std::string, std::optional<double>>& reached) {
  std::string all;
  const auto add = [&](double wanted, const char* what, const char* by) {
    if (wanted == 0.0) return;
    const std::optional<double> got = reached.at(by);
    all += fmt::format("{}{} {}: {}", all.empty() ? "" : "; ", what, wanted,
                       !got ? kNone : fmt::format("{} ({:.2f})", *got >= wanted ? "met" : "missed", *got));
  };
  add(one.over_eager, "eager x", "eager");
  add(one.over_compiled, "compiled x", "compiled");
  add(one.share, "roofline", "share");
  return all.empty() ? "-" : all;
}

std::string parity_rows(const std::vector<std::string>& lines) {
  std::string rows;
  for (const std::string& line : lines) {
    if (field(line, "part") != "parity" && field(line, "part") != "sanitizer") continue;
    rows +=
        fmt::format("| {} | {} | {} |\n", field(line, "case"), field(line, "device"), field(line, "result"));
  }
  if (rows.empty()) rows = fmt::format("| all suites | - | {} |\n", kNone);
  return "| suite | device | result |\n| --- | --- | --- |\n" + rows;
}

/// The log-likelihood of quickstart's machine, trained on either device.
std::string likelihood_line(const std::vector<std::string>& lines) {
  std::string said;
  std::optional<double> cpu, other;
  for (const std::string& line : lines) {
    if (field(line, "part") != "likelihood") continue;
    const double value = std::strtod(field(line, "value").c_str(), nullptr);
    if (value == 0.0) continue;
    (field(line, "who") == "cpu" ? cpu : other) = value;
    said += fmt::format("{}{} {} nats", said.empty() ? "" : ", ", field(line, "who"), value);
  }
  if (!cpu || !other) said = kNone;
  return fmt::format(
      "\nLog-likelihood of the machine of quickstart.toml, trained on either device: {} (wanted: within "
      "0.3{}).\n",
      said, cpu && other ? fmt::format(": {}", std::abs(*cpu - *other) <= 0.3 ? "met" : "missed") : "");
}

}  // namespace

std::string report(const std::vector<std::string>& files) {
  std::vector<std::string> lines;
  for (const std::string& file : files) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
  }
  Numbers numbers;
  std::string device = kNone;
  bool is_smoke = false;
  for (const std::string& line : lines) {
    if (field(line, "part") == "machine") device = field(line, "device");
    is_smoke = is_smoke || field(line, "smoke") == "true";
    for (const char* name : {"value", "tflops", "gbs", "share", "alone"}) {
      const std::string number = field(line, name);
      if (!number.empty())
        numbers[fmt::format("{}/{}/{}", field(line, "case"), field(line, "who"), name)].push_back(
            std::strtod(number.c_str(), nullptr));
    }
  }
  std::string page =
      "# Speed on a GPU\n\n`tests/benchmarks/gpu.sh` makes this page on a machine that has one.\n\n";
  if (is_smoke) page += "**A smoke run: sizes are tiny, and the numbers say nothing.**\n\n";
  page += fmt::format(
      "Device: {}. Arithmetic of one large product: {} TFLOP/s; traffic of one long copy: {} GB/s.\n\n",
      device, text(median(numbers, "machine", "basin", "tflops")),
      text(median(numbers, "machine", "basin", "gbs")));
  page += parity_rows(lines) + likelihood_line(lines);
  page +=
      "\nMedians over rounds in which basin and its peers took turns. TFLOP/s and GB/s: arithmetic and least "
      "traffic counted "
      "by hand, over the time taken; roofline: the least time that the device's own rates allow, over the "
      "time taken; "
      "products alone: the same task with nothing but its products of matrices, by the device's library.\n\n"
      "| case | unit | basin | TFLOP/s | GB/s | roofline | products alone | eager | compiled | graphed | "
      "basin / eager | "
      "basin / compiled | wanted |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- "
      "| --- |\n";
  for (const Case& one : all_cases()) {
    const auto of = [&](const char* who, const char* name) { return median(numbers, one.name, who, name); };
    const std::optional<double> mine = of("basin", "value"), eager = of("eager", "value"),
                                compiled = of("compiled", "value");
    const std::map<std::string, std::optional<double>> reached = {
        {"eager", ratio(mine, eager)}, {"compiled", ratio(mine, compiled)}, {"share", of("basin", "share")}};
    page += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", one.name,
                        one.unit, text(mine), text(of("basin", "tflops")), text(of("basin", "gbs")),
                        text(of("basin", "share"), "{:.2f}"), text(of("basin", "alone")), text(eager),
                        text(compiled), text(of("graphed", "value")), text(reached.at("eager"), "{:.2f}"),
                        text(reached.at("compiled"), "{:.2f}"), is_smoke ? "-" : targets(one, reached));
  }
  for (const std::string& line : lines) {
    if (const std::string error = field(line, "error"); !error.empty())
      page += fmt::format("\n- {} ({}): {}", field(line, "case"), field(line, "who"), error);
  }
  return page + "\n";
}

}  // namespace basin::benchmarks
