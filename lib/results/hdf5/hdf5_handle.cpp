#include "results/hdf5/hdf5_handle.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <type_traits>

#include "tensor/error.h"

namespace basin {
namespace {

static_assert(std::is_same_v<Hdf5Id, hid_t> && std::is_same_v<Hdf5Status, herr_t>, "HDF5 1.10 or later");

std::mutex& library() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

Hdf5Session::Hdf5Session() : lock_(library()) {
  // After it has met a damaged file, HDF5 1.10 complains on stderr when the program ends ("infinite loop
  // closing library"). What it would do there is not needed: no file on disk is ever open in it. (No effect
  // when HDF5 is in use already.)
  static const herr_t no_closing = H5dont_atexit();
  static_cast<void>(no_closing);
  H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Session::~Hdf5Session() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }

void hdf5_fail(const std::string& what) {
  // The first description is the one from where the error arose.
  std::string reason;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned depth, const H5E_error2_t* error, void* out) -> herr_t {
        if (depth == 0 && error->desc != nullptr) {
          *static_cast<std::string*>(out) = error->desc;
        }
        return 0;
      },
      &reason);
  std::replace(reason.begin(), reason.end(), '\n', ' ');
  throw Error(fmt::format("[hdf5] {}: {}", what, reason.empty() ? "unknown reason" : reason));
}

std::vector<std::string> hdf5_names(Hdf5Id group, const std::string& what) {
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* to) -> herr_t {
    static_cast<std::vector<std::string>*>(to)->emplace_back(name);
    return 0;
  };
  hdf5_check(H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add, &names), what);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  for (const std::string& name : names) {
    if (std::ranges::any_of(name, is_control))
      throw Error(fmt::format("[hdf5] {}: expected names of printable characters, received another", what));
  }
  std::ranges::sort(names);
  return names;
}

Hdf5Handle hdf5_memory_access() {
  constexpr std::size_t kGrowth = std::size_t{1} << 20;
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, kGrowth, 0);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  return {access, H5Pclose, "making a file in memory"};
}

}  // namespace basin
