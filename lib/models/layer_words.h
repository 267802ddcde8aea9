#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tensor/shape.h"

namespace basin {

/// The text of one layer as words: a name, values in their order, then settings by name:
/// "conv 20 5x5 stride 2 pad 1".
///
/// Whoever builds the layer takes what it knows; what is left at the end is an error. All errors read
/// "[layers] layer 3 'conv 20 5x5': expected ..., received ...".
class LayerWords {
 public:
  /// Throws Error when there is no word.
  LayerWords(std::string text, std::size_t number);

  const std::string& text() const { return text_; }
  const std::string& name() const { return words_.front(); }

  /// The next value: a whole number of at least `least`.
  Index count(const char* what, Index least = 1);
  /// The next value: "5x3", or "5" for both.
  std::array<Index, 2> extents(const char* what);
  /// The next value: a finite number in [low, high].
  double number(const char* what, double low, double high);
  /// The next value: one of these.
  std::string choice(const char* what, const std::vector<std::string>& allowed);

  /// The value behind a word, where the word is there, of at least `least`.
  std::array<Index, 2> named_extents(const char* word, Index least, std::array<Index, 2> fallback);
  Index named_count(const char* word, Index least, Index fallback);
  double named_number(const char* word, double least, double most, double fallback);
  /// Whether the word is there, and takes it.
  bool has(const char* word);
  bool has_more() const { return next_ < words_.size(); }

  /// Throws Error when words are left.
  void finish() const;
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  std::string take(const char* what);
  std::optional<std::string> take_named(const char* word);
  double real(const std::string& word, const char* what, double low, double high) const;
  Index whole(const std::string& word, const char* what, Index least) const;
  std::array<Index, 2> pair(const std::string& word, const char* what, Index least) const;

  std::string text_;
  std::size_t number_;
  std::vector<std::string> words_;
  std::size_t next_ = 1;
};

}  // namespace basin
