#pragma once

#include <functional>
#include <string>

namespace basin::program {

/// To call before anything starts a thread: from now on SIGINT, SIGTERM and SIGHUP (where they were not
/// ignored) end the program by themselves, with kInterrupted and no unfinished files, wherever it stands; so
/// does each of them after catch_interrupts(), in so far as nobody asks interrupted() within a second and a
/// half. Those that come earlier, from the moment the program's libraries are loaded, are held back until
/// then.
void watch_signals();

/// From now on the first signal only asks to stop; the second ends the program at once. `farewell` makes
/// what people are told when the program ends without having been asked; it is called then, on a thread of
/// its own.
void catch_interrupts(std::function<std::string()> farewell);

/// Whether somebody asked to stop. Whoever is told so is given all the time that it needs.
bool interrupted();

}  // namespace basin::program
