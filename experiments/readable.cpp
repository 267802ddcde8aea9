#include "readable.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string_view>

namespace basin::program {
namespace {

/// The first place at or behind `at` where a character of UTF-8 begins.
std::size_t whole_character(std::string_view text, std::size_t at) {
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0u) == 0x80u) ++at;
  return at;
}

/// Two thirds of what there is room for from the beginning, the rest from the end.
std::string shortened(std::string_view text, std::size_t most) {
  constexpr std::string_view kGap = "...";
  if (text.size() <= most) return std::string(text);
  const std::size_t room = most - kGap.size(), behind = room / 3;
  std::size_t first = room - behind;
  while (first > 0 && (static_cast<unsigned char>(text[first]) & 0xc0u) == 0x80u) --first;
  const std::size_t last = whole_character(text, text.size() - behind);
  return std::string(text.substr(0, first)).append(kGap).append(text.substr(last));
}

}  // namespace

std::string readable(const std::string& message, std::size_t word, std::size_t whole) {
  constexpr std::string_view kBreaks = " \n\r";
  std::string text;
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t end = std::min(message.find_first_of(kBreaks, at), message.size());
    text += shortened(std::string_view(message).substr(at, end - at), word);
    if (end < message.size()) text += ' ';
    at = end + 1;
  }
  return shortened(text, whole);
}

std::string in_columns(const std::string& lines, std::size_t width, std::size_t further) {
  std::string text;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    std::size_t margin = line.find_first_not_of(' ');
    margin = margin == std::string::npos ? 0 : margin + further;
    while (line.size() > width) {
      const std::size_t space = line.rfind(' ', width);
      if (space == std::string::npos || space <= margin) break;  // a word longer than that
      text += line.substr(0, line.find_last_not_of(' ', space) + 1) + '\n';
      line = std::string(margin, ' ') + line.substr(space + 1);
    }
    text += line + '\n';
  }
  return text;
}

std::size_t output_width() {
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    if (const long asked = std::strtol(columns, nullptr, 10); asked > 20)
      return static_cast<std::size_t>(asked);
  }
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) return size.ws_col > 20 ? size.ws_col : 80;
  return std::numeric_limits<std::size_t>::max();
}

}  // namespace basin::program
