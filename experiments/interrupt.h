#pragma once

namespace basin::program {

/// From now on the first SIGINT or SIGTERM only asks to stop (interrupted() becomes true); the second ends
/// the program at once.
void catch_interrupts();

/// Whether somebody asked to stop.
bool interrupted();

}  // namespace basin::program
