#include "console.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sstream>

namespace basin::program {
namespace {

int reason = 0;  // why stdout was not written, the first time

void note(bool written) { reason = written || reason != 0 ? reason : errno; }

}  // namespace

void open_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // open() gives the lowest free number: that of the stream that is closed.
    if (::fcntl(stream, F_GETFD) == -1) {
      static_cast<void>(::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void print(const std::string& text) { note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size()); }

void tell(const std::string& text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  std::fflush(stderr);
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::string wrapped(const std::string& text, std::size_t width) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string margin(std::min(line.find_first_not_of(' '), line.size()), ' ');
    while (line.size() > width) {
      const std::size_t space = line.rfind(' ', width);
      if (space == std::string::npos || space <= margin.size()) break;  // a word longer than that
      result += line.substr(0, space) + '\n';
      line = margin + line.substr(space + 1);
    }
    result += line + '\n';
  }
  return result;
}

bool flush_output() {
  note(std::fflush(stdout) == 0);
  errno = reason;
  return reason == 0;
}

}  // namespace basin::program
