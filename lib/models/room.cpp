#include "models/room.h"

#include <fmt/format.h>

#include "tensor/cpu/machine.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/error.h"

namespace basin {

void require_room(const std::string& what, double numbers, Placement placement) {
  const bool is_gpu = placement.device == Device::Cuda;
  const double bytes = numbers * static_cast<double>(byte_size(placement.dtype)),
               half = 0.5 * static_cast<double>(is_gpu ? cuda_bytes() : machine_bytes());
  if (bytes <= half) return;
  constexpr double kGibibyte = 1 << 30;
  throw Error(
      fmt::format("{}: expected what fits into half of the {}'s memory, {:.1f} GiB, received {:.3g} numbers, "
                  "{:.3g} GiB; make it smaller",
                  what, is_gpu ? "GPU" : "machine", half / kGibibyte, numbers, bytes / kGibibyte));
}

}  // namespace basin
