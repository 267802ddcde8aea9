#include "training/measures/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "energy/eliminate/marginals.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kMonitored = 500;  // test samples
constexpr Index kTogether = 100;   // what a network keeps of all segments of many images may not fit

/// One-hot rows [N, L, K + 1] as strings.
std::vector<String> strings_of(const Value& y) {
  const std::vector<double> numbers = y.tensor().values();
  const auto length = static_cast<std::size_t>(y.dim(1)), states = static_cast<std::size_t>(y.dim(2));
  std::vector<String> all(static_cast<std::size_t>(y.dim(0)));
  for (std::size_t n = 0; n < all.size(); ++n) {
    for (std::size_t l = 0; l < length; ++l) {
      const auto row = numbers.begin() + static_cast<std::ptrdiff_t>((n * length + l) * states);
      const auto category = static_cast<std::size_t>(std::max_element(row, row + y.dim(2)) - row);
      if (category + 1 < states) all[n].push_back(static_cast<std::int64_t>(category));
    }
  }
  return all;
}

std::vector<std::vector<Index>> cuts_of(const Value& z, Index stride) {
  const std::vector<double> numbers = z.tensor().values();
  const Index cuts = z.dim(1), durations = z.dim(2);
  std::vector<std::vector<Index>> all(static_cast<std::size_t>(z.dim(0)));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Index at = static_cast<Index>(i) / durations;
    if (numbers[i] == 1.0) all[static_cast<std::size_t>(at / cuts)].push_back((at % cuts + 1) * stride);
  }
  return all;
}

std::size_t edits(const String& a, const String& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j + 1] + 1, row[j] + 1});
    }
  }
  return row.back();
}

/// [N, L], -1 behind the ends.
std::vector<std::int64_t> padded(const std::vector<String>& strings, std::size_t length) {
  std::vector<std::int64_t> all;
  for (const String& string : strings) {
    all.insert(all.end(), string.begin(), string.end());
    all.insert(all.end(), length - string.size(), -1);
  }
  return all;
}

Monitor monitor(const StageView& view) {
  need<StringReader>(view.stage, "reading");
  return [view] {
    const auto& [samples, part] = watched(view);
    const Reading found =
        read_strings(view, samples, part == "test" ? kMonitored : std::numeric_limits<Index>::max());
    return std::map<std::string, double>{{"sequence_error_" + part, found.sequence_error()},
                                         {"character_error_" + part, found.character_error()}};
  };
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& how = need<StringReader>(view.stage, "reading");
  const auto& [samples, part] = judged(view);
  const Reading found = read_strings(view, samples, samples.count);
  put_result(store, {"sequence_error_" + part, "fraction of the strings", Better::Down},
             found.sequence_error());
  put_result(store, {"character_error_" + part, "edits a character", Better::Down}, found.character_error());
  const std::string path = fmt::format("/evaluation/{}_", part);
  const Index length = how.label.shape[0], categories = how.label.shape[1];
  const auto put = [&](const char* name, const char* codes, const std::vector<String>& strings) {
    std::vector<std::int64_t> numbers;
    for (const String& string : strings) numbers.push_back(code_of(string, categories));
    store.put(path + codes, std::move(numbers));
    store.put(path + name, padded(strings, static_cast<std::size_t>(length)),
              {static_cast<Index>(strings.size()), length});
  };
  put("read", "predictions", found.read);
  put("strings", "labels", found.labels);
  return fmt::format("read         {} {:.2f} % of {} strings wrong, {:.2f} % of their characters\n", part,
                     100.0 * found.sequence_error(), found.labels.size(), 100.0 * found.character_error());
}

}  // namespace

double Reading::sequence_error() const {
  std::size_t wrong = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) wrong += labels[n] != read[n];
  return static_cast<double>(wrong) / static_cast<double>(labels.size());
}

double Reading::character_error() const {
  std::size_t wrong = 0, characters = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    wrong += edits(read[n], labels[n]);
    characters += labels[n].size();
  }
  return static_cast<double>(wrong) / static_cast<double>(std::max<std::size_t>(characters, 1));
}

Reading read_strings(const StageView& view, const Samples& samples, Index most) {
  const auto& how = need<StringReader>(view.stage, "reading");
  Reading all;
  const auto visit = [&](const State& part, Index) {
    for (Index begin = 0; begin < part.batch(); begin += kTogether) {
      const State some = rows_of(view.stage.graph, part, begin, std::min(begin + kTogether, part.batch()));
      const State given = State().in(some.context().with({})).set(how.image, some[how.image]);
      const State best = most_probable(view.stage.graph, {how.label, how.segments}, given);
      for (String& string : strings_of(some[how.label])) all.labels.push_back(std::move(string));
      for (String& string : strings_of(best[how.label])) all.read.push_back(std::move(string));
      for (std::vector<Index>& cuts : cuts_of(best[how.segments], how.stride))
        all.cuts.push_back(std::move(cuts));
    }
  };
  walk_through(stage_means(view.stage, samples), most, view.stage.key.fold("evaluate"), visit);
  return all;
}

std::int64_t code_of(const String& string, Index categories) {
  std::int64_t code = 0;
  for (const std::int64_t character : string) {
    if (code > (std::numeric_limits<std::int64_t>::max() - categories) / categories)
      throw Error(
          fmt::format("[reading] expected strings whose numbers take at most 63 bits, received {} characters "
                      "of {} categories; take shorter strings",
                      string.size(), categories));
    code = code * categories + character + 1;
  }
  return code;
}

Measure reading_measure() {
  return {.name = "reading",
          .metrics = {{"sequence_error_test", "fraction of the strings", Better::Down},
                      {"character_error_test", "edits a character", Better::Down}},
          .results = {"sequence_error_test", "character_error_test"},
          .monitor = monitor,
          .evaluate = evaluate};
}

}  // namespace basin
