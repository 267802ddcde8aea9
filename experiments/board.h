#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace basin::program {

/// Lines on stderr for work that goes on beside other work: some that stay, and, on a terminal, some below
/// them that are drawn anew.
class Board {
 public:
  explicit Board(bool quiet);
  /// Leaves nothing but the lines that stay.
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  /// A line that stays; when quiet, warnings alone.
  void say(const std::string& line);
  /// Draws the lines of the moment, cut to the terminal's width; at most five times a second.
  void show(const std::vector<std::string>& lines);

 private:
  void clear();

  bool quiet_, terminal_;
  std::size_t shown_ = 0;  // lines
  std::chrono::steady_clock::time_point last_ = {};
};

}  // namespace basin::program
