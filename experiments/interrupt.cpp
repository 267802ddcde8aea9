#include "interrupt.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>
#include <utility>

#include "arguments.h"
#include "console.h"
#include "results/files/unfinished.h"

namespace basin::program {
namespace {

constexpr timespec kPatience = {.tv_sec = 1, .tv_nsec = 500'000'000};

std::atomic<bool> asked = false;     // by a signal
std::atomic<bool> answered = false;  // interrupted() has said so
std::atomic<const std::function<std::string()>*> parting = nullptr;

[[noreturn]] void end() {
  remove_unfinished();
  const std::function<std::string()>* farewell = parting;
  tell(farewell != nullptr ? (*farewell)() : "basin: interrupted\n");
  _exit(kInterrupted);
}

/// The signals that ask to stop. Before the shared libraries are begun, and main() runs, they are only held
/// back: what comes while the program starts is found by watch_signals(), also of a program that started
/// itself again. A system call of its own, as nothing is set up here yet that a function could rely on.
constexpr unsigned long kHeld = 1ul << (SIGINT - 1) | 1ul << (SIGTERM - 1) | 1ul << (SIGHUP - 1);

void hold_signals(int /*argc*/, char** /*argv*/, char** /*environment*/) {
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &kHeld, nullptr, sizeof kHeld);
}

[[gnu::used, gnu::section(".preinit_array")]] void (*before_all_else)(int, char**, char**) = hold_signals;

/// A thread of its own may do what a signal handler may not: lock, remove files, write.
void wait_for_signals(sigset_t signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) continue;
  asked = true;
  if (parting == nullptr) end();
  while (sigtimedwait(&signals, nullptr, &kPatience) < 0) {
    if (errno == EAGAIN && !answered) end();
  }
  end();
}

}  // namespace

void watch_signals() {
  sigset_t signals, ignored;
  sigemptyset(&signals);
  sigemptyset(&ignored);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    const bool is_asked_for = sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN;
    sigaddset(is_asked_for ? &signals : &ignored, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // in all threads to come
  pthread_sigmask(SIG_UNBLOCK, &ignored, nullptr);
  std::thread(wait_for_signals, signals).detach();
}

void catch_interrupts(std::function<std::string()> farewell) {
  static const std::function<std::string()> kept = std::move(farewell);
  parting = &kept;
}

bool interrupted() {
  if (!asked) return false;
  answered = true;
  return true;
}

}  // namespace basin::program
