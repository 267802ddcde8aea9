#include "interrupt.h"

#include <pthread.h>
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
std::atomic<const std::string*> parting = nullptr;

[[noreturn]] void end() {
  remove_unfinished();
  const std::string* farewell = parting;
  tell(farewell != nullptr ? *farewell : "basin: interrupted\n");
  _exit(kInterrupted);
}

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
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // in all threads to come
  std::thread(wait_for_signals, signals).detach();
}

void catch_interrupts(std::string farewell) {
  static const std::string kept = std::move(farewell);
  parting = &kept;
}

bool interrupted() {
  if (!asked) return false;
  answered = true;
  return true;
}

}  // namespace basin::program
