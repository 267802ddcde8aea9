#include "models/layer_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "config/nearest.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kMost = 1'000'000'000;  // of any extent: products of two are numbers yet

template <class T>
std::optional<T> parse(const std::string& word) {
  T value{};
  const char* end = word.data() + word.size();
  const auto [last, error] = std::from_chars(word.data(), end, value);
  return error == std::errc() && last == end ? std::optional(value) : std::nullopt;
}

}  // namespace

LayerWords::LayerWords(std::string text, std::size_t number) : text_(std::move(text)), number_(number) {
  std::istringstream in(text_);
  for (std::string word; in >> word;) words_.push_back(word);
  if (words_.empty()) fail("the name of a layer, received none");
}

void LayerWords::fail(const std::string& expected) const {
  throw Error(fmt::format("[layers] layer {} '{}': expected {}", number_, text_, expected));
}

std::string LayerWords::take(const char* what) {
  if (next_ >= words_.size()) fail(fmt::format("{}, received none", what));
  return words_[next_++];
}

std::optional<std::string> LayerWords::take_named(const char* word) {
  const auto from = words_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto found = std::find(from, words_.end(), word);
  if (found == words_.end()) return std::nullopt;
  if (found + 1 == words_.end()) fail(fmt::format("a value behind '{}', received none", word));
  std::string value = *(found + 1);
  words_.erase(found, found + 2);
  return value;
}

Index LayerWords::whole(const std::string& word, const char* what, Index least) const {
  const std::optional<Index> value = parse<Index>(word);
  if (!value || *value < least || *value > kMost)
    fail(fmt::format("{}, a whole number of {} to {}, received '{}'", what, least, kMost, word));
  return *value;
}

double LayerWords::real(const std::string& word, const char* what, double low, double high) const {
  const std::optional<double> value = parse<double>(word);
  if (!value || !std::isfinite(*value) || !(*value >= low && *value <= high))
    fail(fmt::format("{}, a finite number in [{}, {}], received '{}'", what, low, high, word));
  return *value;
}

std::array<Index, 2> LayerWords::pair(const std::string& word, const char* what, Index least) const {
  const std::size_t cross = word.find('x');
  if (cross == std::string::npos) {
    const Index both = whole(word, what, least);
    return {both, both};
  }
  return {whole(word.substr(0, cross), what, least), whole(word.substr(cross + 1), what, least)};
}

Index LayerWords::count(const char* what, Index least) { return whole(take(what), what, least); }

std::array<Index, 2> LayerWords::extents(const char* what) { return pair(take(what), what, 1); }

double LayerWords::number(const char* what, double low, double high) {
  return real(take(what), what, low, high);
}

std::string LayerWords::choice(const char* what, const std::vector<std::string>& allowed) {
  std::string word = take(what);
  if (std::find(allowed.begin(), allowed.end(), word) == allowed.end())
    fail(fmt::format("{}, one of {}, received '{}'; {}", what, fmt::join(allowed, ", "), word,
                     suggestion(word, allowed)));
  return word;
}

std::array<Index, 2> LayerWords::named_extents(const char* word, Index least, std::array<Index, 2> fallback) {
  const std::optional<std::string> value = take_named(word);
  return value ? pair(*value, word, least) : fallback;
}

Index LayerWords::named_count(const char* word, Index least, Index fallback) {
  const std::optional<std::string> value = take_named(word);
  return value ? whole(*value, word, least) : fallback;
}

double LayerWords::named_number(const char* word, double least, double most, double fallback) {
  const std::optional<std::string> value = take_named(word);
  return value ? real(*value, word, least, most) : fallback;
}

bool LayerWords::has(const char* word) {
  const auto from = words_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto found = std::find(from, words_.end(), word);
  if (found == words_.end()) return false;
  words_.erase(found);
  return true;
}

void LayerWords::finish() const {
  if (next_ < words_.size()) fail(fmt::format("no more words, received '{}'", words_[next_]));
}

}  // namespace basin
