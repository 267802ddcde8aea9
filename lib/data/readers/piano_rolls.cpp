#include "data/readers/piano_rolls.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <charconv>
#include <map>
#include <string_view>

#include "data/readers/byte_source.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Frame = std::bitset<static_cast<std::size_t>(kPianoKeys)>;
using Sequence = std::vector<Frame>;
using Part = std::vector<Sequence>;

/// Descends through the one shape that the format has: parts, sequences, frames, notes.
class Parser {
 public:
  Parser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  std::map<std::string, Part> parts() {
    std::map<std::string, Part> parts;
    expect('{');
    do {
      const std::string name = key();
      if (name != "train" && name != "valid" && name != "test")
        fail("a part \"train\", \"valid\" or \"test\"", "\"" + one_line(name) + "\"");
      if (parts.contains(name)) fail("each part once", "a second \"" + name + "\"");
      expect(':');
      Part& part = parts[name];
      list([&] { part.push_back(sequence()); });
    } while (next_is(','));
    expect('}');
    skip_space();
    if (at_ < text_.size()) fail("the end of the file", shown());
    for (const char* name : {"train", "valid", "test"}) {
      if (!parts.contains(name)) fail(fmt::format("a part \"{}\"", name), "none");
    }
    return parts;
  }

 private:
  Sequence sequence() {
    Sequence frames;
    list([&] {
      Frame& frame = frames.emplace_back();
      list([&] { frame.set(note()); });
    });
    if (frames.empty()) fail("sequences of at least one frame", "an empty one");
    return frames;
  }

  std::size_t note() {
    skip_space();
    Index note = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), note);
    constexpr Index kHighestNote = kLowestNote + kPianoKeys - 1;
    if (error != std::errc() || note < kLowestNote || note > kHighestNote)
      fail(fmt::format("a note, {} to {}", kLowestNote, kHighestNote), shown());
    at_ = static_cast<std::size_t>(end - text_.data());
    return static_cast<std::size_t>(note - kLowestNote);
  }

  std::string key() {
    expect('"');
    const std::size_t end = text_.find('"', at_);
    if (end == std::string_view::npos) fail("the end of a name", "the end of the file");
    const std::string name(text_.substr(at_, end - at_));
    at_ = end + 1;
    return name;
  }

  template <class Item>
  void list(Item item) {
    expect('[');
    if (next_is(']')) return;
    do item();
    while (next_is(','));
    expect(']');
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool next_is(char c) {
    skip_space();
    const bool is_next = at_ < text_.size() && text_[at_] == c;
    at_ += is_next ? 1 : 0;
    return is_next;
  }
  void expect(char c) {
    if (!next_is(c)) fail(fmt::format("'{}'", c), shown());
  }
  std::string shown() const {
    constexpr std::size_t kShown = 12;
    return at_ >= text_.size() ? "the end of the file"
                               : fmt::format("'{}'", one_line(std::string(text_.substr(at_, kShown))));
  }
  [[noreturn]] void fail(const std::string& expected, const std::string& received) const {
    const std::string_view before = text_.substr(0, at_);
    throw Error(fmt::format("[piano_rolls] {}:{}:{}: expected {}, received {}", path_,
                            std::ranges::count(before, '\n') + 1, at_ - (before.rfind('\n') + 1) + 1,
                            expected, received));
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t at_ = 0;
};

Samples padded(const Part& part, Index longest) {
  const auto size = static_cast<std::size_t>(element_count({longest, kPianoKeys}));
  std::vector<std::uint8_t> roll(part.size() * size);
  std::vector<std::int32_t> lengths;
  for (std::size_t n = 0; n < part.size(); ++n) {
    std::uint8_t* key = roll.data() + n * size;
    for (const Frame& frame : part[n]) {
      for (std::size_t k = 0; k < frame.size(); ++k) *key++ = frame[k] ? 255 : 0;
    }
    lengths.push_back(static_cast<std::int32_t>(part[n].size()));
  }
  return {byte_column("roll", {longest, kPianoKeys}, std::move(roll)),
          integer_column("lengths", {}, std::move(lengths))};
}

}  // namespace

Dataset read_piano_rolls(const std::string& path, const ImportLimit& limit) {
  const std::string text = open_bytes("piano_rolls", path)->read_rest(limit);
  // A frame "[]," or a sequence "[[]]," of the text takes no more than this while it is read.
  constexpr std::uint64_t kPerByte = std::max(sizeof(Frame), sizeof(Sequence)) / 2;
  limit.take("[piano_rolls] " + path, 0, checked_product<std::uint64_t>({kPerByte, text.size()}));
  const std::map<std::string, Part> parts = Parser(path, text).parts();
  std::size_t count = 0, longest = 1;
  for (const auto& [name, part] : parts) {
    count += part.size();
    for (const Sequence& sequence : part) longest = std::max(longest, sequence.size());
  }
  limit.take(fmt::format("[piano_rolls] {}: {} sequences of up to {} frames", path, count, longest),
             checked_product<std::uint64_t>({count, longest, kPianoKeys}));
  limit.give_back(text.size());
  const auto samples = [&](const char* name) { return padded(parts.at(name), static_cast<Index>(longest)); };
  Dataset data{"piano_rolls", samples("train"), samples("test")};
  data.validation = samples("valid");
  return data;
}

}  // namespace basin
