#include "board.h"

#include <fmt/format.h>
#include <unistd.h>

#include "console.h"

namespace basin::program {

Board::Board(bool quiet) : quiet_(quiet), terminal_(!quiet && isatty(STDERR_FILENO) == 1) {}

Board::~Board() { clear(); }

void Board::clear() {
  if (shown_ > 0) tell(fmt::format("\033[{}A\r\033[J", shown_));
  shown_ = 0;
}

void Board::say(const std::string& line) {
  if (quiet_ && !line.starts_with("warning")) return;
  clear();
  tell(line + "\n");
}

void Board::show(const std::vector<std::string>& lines) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - last_ < 200ms) return;
  last_ = now;
  clear();
  std::string text;
  for (const std::string& line : lines) text += line.substr(0, terminal_width() - 1) + "\n";
  tell(text);
  shown_ = lines.size();
}

}  // namespace basin::program
