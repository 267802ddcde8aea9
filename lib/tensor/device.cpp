#include "tensor/device.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

std::string to_string(Device device) {
  switch (device) {
    case Device::Cpu:
      return "cpu";
    case Device::Guard:
      return "guard";
    case Device::Cuda:
      return "cuda";
    case Device::CudaEmulated:
      return "cuda_emulated";
  }
  throw Error("[device] expected a Device, received a number that is none");
}

Device parse_device(std::string_view name) {
  for (const Device device : {Device::Cpu, Device::Guard, Device::Cuda, Device::CudaEmulated}) {
    if (name == to_string(device)) return device;
  }
  throw Error(fmt::format("[device] expected cpu, guard, cuda or cuda_emulated, received '{}'", name));
}

}  // namespace basin
