#pragma once

#include <string>

namespace basin::program {

/// Makes stdin, stdout and stderr fit to be written to, or not: closed ones are opened such that writing to
/// them fails, and so that no results file gets their number. A reader that goes away, or a limit on the size
/// of files, is then an error of writing, no longer the end of the process.
void open_streams();

/// Writes to stdout; never throws. What was lost is known in the end, by flush_output().
void print(const std::string& text);

/// Writes to stderr, where people are told how things go; that it cannot be written is no reason to stop.
void tell(const std::string& text);

/// Columns of the terminal that stderr is.
std::size_t terminal_width();

/// The text with lines of at most `width` columns, broken at spaces; what follows a break begins in the
/// column in which its line begins.
std::string wrapped(const std::string& text, std::size_t width = 80);

/// Whether all that was printed could be written; else `errno` says why not.
bool flush_output();

}  // namespace basin::program
