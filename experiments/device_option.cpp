#include "device_option.h"

#include <fmt/format.h>

#include <charconv>

#include "tensor/backend.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/error.h"

namespace basin::program {
namespace {

/// The N of "cuda:N".
int index_of(const std::string& name, std::size_t colon) {
  int index = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + colon + 1, end, index);
  if (name.substr(0, colon) != "cuda" || error != std::errc{} || stop != end || index < 0)
    throw Error(
        fmt::format("[device] expected cuda:N with the number of a GPU, as cuda:0, received '{}'", name));
  return index;
}

CudaOptions options_of(const std::string& products) {
  if (products == "f32") return {};
  if (products == "tf32") return {.tf32 = true};
  if (products == "bf16") return {.bf16 = true};
  throw Error(fmt::format("[products] expected f32, tf32 or bf16, received '{}'", products));
}

Device chosen(const std::string& name, const std::string& products) {
  const std::size_t colon = name.find(':');
  const Device device = parse_device(name.substr(0, colon));
  CudaOptions options = options_of(products);
  if (device != Device::Cuda) {
    if (colon != std::string::npos) index_of(name, colon);
    if (options != CudaOptions{})
      throw Error(
          fmt::format("[products] expected --device cuda for products of {}, received {}", products, name));
    return device;
  }
  if (colon != std::string::npos) options.index = index_of(name, colon);
  choose_cuda(options);
  backend(device);
  return device;
}

}  // namespace

const std::vector<Option>& device_options() {
  static const std::vector<Option> options = {
      {"device", "NAME",
       "cpu (default), cuda or cuda:N (an NVIDIA GPU; 'basin info' lists them), or guard (a test device)"},
      {"products", "NAME",
       "on a GPU, what factors of products of matrices are rounded to: f32 (default: nothing), tf32 or bf16, "
       "which are faster"}};
  return options;
}

Device device_of(const Arguments& arguments) {
  return chosen(arguments.text("device").value_or("cpu"), arguments.text("products").value_or("f32"));
}

Device device_of(const Arguments& arguments, const Store& store) {
  const std::string named = store.text("/environment/device");
  const std::string device = arguments.text("device").value_or(named);
  const bool stays = !arguments.has("device") && store.has("/environment/products");
  return chosen(device,
                arguments.text("products").value_or(stays ? store.text("/environment/products") : "f32"));
}

std::vector<std::string> device_words(const Arguments& arguments) {
  std::vector<std::string> words;
  for (const Option& option : device_options()) {
    if (const auto text = arguments.text(option.name)) words.insert(words.end(), {"--" + option.name, *text});
  }
  return words;
}

}  // namespace basin::program
