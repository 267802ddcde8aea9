#include "models/room.h"

#include <fmt/format.h>

#include "tensor/cpu/machine.h"
#include "tensor/error.h"

namespace basin {

void require_room(const std::string& what, double numbers, Placement placement) {
  const double bytes = numbers * static_cast<double>(byte_size(placement.dtype)),
               half = 0.5 * static_cast<double>(machine_bytes());
  if (placement.device == Device::Cuda || bytes <= half) return;
  constexpr double kGibibyte = 1 << 30;
  throw Error(fmt::format(
      "{}: expected what fits into half of the machine's memory, {:.1f} GiB, received {:.3g} numbers, "
      "{:.3g} GiB; make it smaller",
      what, half / kGibibyte, numbers, bytes / kGibibyte));
}

}  // namespace basin
