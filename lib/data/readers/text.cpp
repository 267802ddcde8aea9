#include "data/readers/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "data/readers/byte_source.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Characters = std::vector<char32_t>;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(fmt::format("[text] {}: {}", path, what));
}

/// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
Characters decode(const std::string& path, const std::string& text) {
  Characters characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc0 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf8 ? 4
                                             : 0;
    char32_t code = length < 2 ? lead : lead & (0x7fu >> length);
    bool fits = length > 0 && length <= text.size() - at;
    for (std::size_t i = 1; fits && i < length; ++i) {
      const auto byte = static_cast<unsigned char>(text[at + i]);
      fits = (byte & 0xc0) == 0x80;
      code = code << 6 | (byte & 0x3fu);
    }
    constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!fits || code < kLeast[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
      fail(path,
           fmt::format("expected UTF-8, received the byte 0x{:02x} at byte {}; convert the text", lead, at));
    characters.push_back(code);
    at += length;
  }
  return characters;
}

std::string encode(char32_t code) {
  const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  const auto more = [&](int shift) { return byte(0x80u | (code >> shift & 0x3fu)); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0u | code >> 6), more(0)};
  if (code < 0x10000) return {byte(0xe0u | code >> 12), more(6), more(0)};
  return {byte(0xf0u | code >> 18), more(12), more(6), more(0)};
}

/// "line 3, character 7" of the place `at`, both from 1.
std::string place(const Characters& text, std::size_t at) {
  const auto begin = text.begin(), end = begin + static_cast<std::ptrdiff_t>(at);
  const auto line_begin = std::find(std::make_reverse_iterator(end), text.rend(), U'\n').base();
  return fmt::format("line {}, character {}", std::count(begin, end, U'\n') + 1, end - line_begin + 1);
}

class Parts {
 public:
  Parts(const std::string& path, const Characters& text, const TextOptions& options)
      : path_(path), text_(text), length_(options.length) {
    const double kept = 1.0 - options.validation_share - options.test_share,
                 all = static_cast<double>(text.size());
    const double held = options.validation_share + options.test_share;
    const auto train = static_cast<std::size_t>(kept * all);
    const double validation =
        held > 0.0 ? options.validation_share / held * (all - static_cast<double>(train)) : 0.0;
    ends_ = {0, train, train + static_cast<std::size_t>(validation), text.size()};
    vocabulary_.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(train));
    std::ranges::sort(vocabulary_);
    vocabulary_.erase(std::unique(vocabulary_.begin(), vocabulary_.end()), vocabulary_.end());
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const char32_t code : vocabulary_) names.push_back(encode(code));
    return names;
  }

  Samples samples(std::size_t part, const char* name) const {
    const std::size_t begin = ends_[part], end = ends_[part + 1], length = static_cast<std::size_t>(length_);
    if (begin == end && part > 0) return {};
    if (end - begin < length + 1) {
      fail(path_,
           fmt::format("expected at least the {} characters of a sample and the one that follows in the {} "
                       "part, received {}; lower data.length, or raise the part's share",
                       length, name, end - begin));
    }
    std::vector<std::int32_t> classes;
    for (std::size_t at = begin; at < end; ++at) classes.push_back(class_at(at, name));
    const auto numbers = static_cast<std::ptrdiff_t>((end - begin - 1) / length * length);
    const auto first = classes.begin();
    const auto count = static_cast<Index>(vocabulary_.size());
    return {integer_column("input", {length_}, {first, first + numbers}, count),
            integer_column("next", {length_}, {first + 1, first + 1 + numbers}, count)};
  }

 private:
  std::int32_t class_at(std::size_t at, const char* part) const {
    const auto found = std::ranges::lower_bound(vocabulary_, text_[at]);
    if (found == vocabulary_.end() || *found != text_[at]) {
      fail(path_,
           fmt::format(
               "expected characters that the training part has too, received '{}' (U+{:04X}) of the {} "
               "part, {}; replace it, or give the training part more of the text",
               one_line(encode(text_[at])), static_cast<std::uint32_t>(text_[at]), part, place(text_, at)));
    }
    return static_cast<std::int32_t>(found - vocabulary_.begin());
  }

  const std::string& path_;
  const Characters& text_;
  Index length_;
  std::array<std::size_t, 4> ends_;
  Characters vocabulary_;
};

}  // namespace

Dataset read_text(const std::string& path, const TextOptions& options, const ImportLimit& limit) {
  const auto is_share = [](double share) { return share >= 0.0 && share < 1.0; };
  if (options.length < 1 || !is_share(options.validation_share) || !is_share(options.test_share) ||
      options.validation_share + options.test_share >= 1.0) {
    fail(path, fmt::format(
                   "expected a length >= 1 and shares that leave a part for training, received {}, {} and {}",
                   options.length, options.validation_share, options.test_share));
  }
  const std::string text = open_bytes("text", path)->read_rest(limit);
  // Code points and categories while it is read, two columns of categories for good.
  constexpr std::uint64_t kPassing = 2 * sizeof(char32_t), kKept = 2 * sizeof(std::int32_t);
  limit.take("[text] " + path, checked_product<std::uint64_t>({kKept, text.size()}),
             checked_product<std::uint64_t>({kPassing, text.size()}));
  const Characters characters = decode(path, text);
  const Parts parts(path, characters, options);
  Dataset data{"text", parts.samples(0, "training"), parts.samples(2, "test")};
  data.validation = parts.samples(1, "validation");
  data.class_names = {{"input", parts.names()}, {"next", parts.names()}};
  limit.give_back(text.size());
  return data;
}

}  // namespace basin
