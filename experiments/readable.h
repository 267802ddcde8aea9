#pragma once

#include <cstddef>
#include <string>

namespace basin::program {

/// A message as people can read it, whatever it quotes of files and command lines: one line, no word of more
/// than `word` bytes and in all not more than `whole`; of longer ones the beginning and the end, "..."
/// between them. Characters of UTF-8 stay whole.
std::string readable(const std::string& message, std::size_t word = 160, std::size_t whole = 1200);

/// Lines of "name         number (...)" that fit into so many columns, broken at spaces; what follows a break
/// is so many columns further in, so that the number stands first.
std::string in_columns(const std::string& lines, std::size_t width, std::size_t further = 2);

/// Columns that stdout has: COLUMNS where it is set, those of the terminal, any number for a file.
std::size_t output_width();

}  // namespace basin::program
