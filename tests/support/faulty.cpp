// Preloaded into a program (LD_PRELOAD): BASIN_FAULT="write 3" makes its third write() to a file below the
// working directory fail, "fsync 3" and "rename 3" likewise; "write 3 kill" kills the process there instead,
// half of the bytes written: a power cut. That it has come so far is said by a file named BASIN_FAULT_MARK.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

namespace {

std::atomic<int> calls = 0;

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

/// Whether a descriptor stands for a file below the working directory.
bool is_ours(int file) {
  std::array<char, 4096> path{}, folder{};
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t length = readlink(link.c_str(), path.data(), path.size());
  if (length <= 0 || getcwd(folder.data(), folder.size()) == nullptr) return false;
  return std::string_view(path.data(), static_cast<std::size_t>(length)).starts_with(folder.data());
}

enum class Fault { None, Fail, Kill };

/// What is to become of this call of a function.
Fault next(const char* function) {
  const char* wanted = std::getenv("BASIN_FAULT");
  if (wanted == nullptr) return Fault::None;
  char name[16] = "", how[16] = "";
  int number = 0;
  std::sscanf(wanted, "%15s %d %15s", name, &number, how);
  if (std::strcmp(name, function) != 0 || ++calls != number) return Fault::None;
  if (const char* mark = std::getenv("BASIN_FAULT_MARK"))
    close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return std::strcmp(how, "kill") == 0 ? Fault::Kill : Fault::Fail;
}

/// "load 1": somebody asks the program to stop while its libraries begin.
[[gnu::constructor]] void stop_at_the_start() {
  if (next("load") != Fault::None) kill(getpid(), SIGTERM);
}

int fail(int reason) {
  errno = reason;
  return -1;
}

/// The call of `act` on `size` bytes, or a fault.
template <class Act>
ssize_t write_or_fail(int file, size_t size, Act act) {
  const Fault fault = is_ours(file) ? next("write") : Fault::None;
  if (fault == Fault::Kill) {
    static_cast<void>(act(size / 2));
    raise(SIGKILL);
  }
  return fault == Fault::None ? act(size) : fail(ENOSPC);
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  static const auto call = real<ssize_t (*)(int, const void*, size_t)>("write");
  return write_or_fail(file, size, [&](size_t n) { return call(file, bytes, n); });
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  static const auto call = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return write_or_fail(file, size, [&](size_t n) { return call(file, bytes, n, at); });
}

int fsync(int file) {
  static const auto call = real<int (*)(int)>("fsync");
  const Fault fault = is_ours(file) ? next("fsync") : Fault::None;
  if (fault == Fault::Kill) raise(SIGKILL);
  return fault == Fault::None ? call(file) : fail(EIO);
}

int rename(const char* from, const char* to) noexcept {
  static const auto call = real<int (*)(const char*, const char*)>("rename");
  const Fault fault = next("rename");
  if (fault == Fault::Kill) raise(SIGKILL);
  return fault == Fault::None ? call(from, to) : fail(EIO);
}
}

void* operator new(std::size_t size) {
  void* room = next("new") == Fault::None ? std::malloc(size > 0 ? size : 1) : nullptr;
  if (room == nullptr) throw std::bad_alloc();
  return room;
}

void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }
