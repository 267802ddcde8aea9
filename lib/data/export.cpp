#include "data/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <numeric>

#include "results/atomic_file.h"
#include "results/store.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// All rows as they are stored.
template <class T>
std::vector<T> numbers_of(const Column& column) {
  std::vector<Index> rows(static_cast<std::size_t>(column.count()));
  std::iota(rows.begin(), rows.end(), Index{0});
  std::vector<T> numbers(rows.size() * static_cast<std::size_t>(column.sample_size()));
  column.gather(rows, numbers.data());
  return numbers;
}

Shape shape_of(const Column& column) {
  Shape shape = column.shape();
  shape.insert(shape.begin(), column.count());
  return shape;
}

/// Calls visit(numbers, name of their type in NumPy).
template <class Visit>
void with_numbers(const Column& column, Visit visit) {
  switch (column.kind()) {
    case ColumnKind::Bytes:
      return visit(numbers_of<std::uint8_t>(column), "|u1");
    case ColumnKind::Integers:
      return visit(numbers_of<std::int32_t>(column), "<i4");
    case ColumnKind::Reals:
      column.dtype() == Dtype::F64 ? visit(numbers_of<double>(column), "<f8")
                                   : visit(numbers_of<float>(column), "<f4");
  }
}

void write_npy(const std::string& path, const Column& column) {
  with_numbers(column, [&](const auto& numbers, const char* type) {
    std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}", type,
                                     fmt::join(shape_of(column), ", "));
    constexpr std::size_t kBefore = 10, kStep = 64;  // the header ends at a multiple of 64 bytes, by a line
    header.resize((kBefore + header.size() + kStep) / kStep * kStep - kBefore - 1, ' ');
    header += '\n';
    AtomicFile file(path);
    file.write(std::string("\x93NUMPY\x01\x00", 8));
    file.write({std::string{static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)}});
    file.write(header);
    file.write({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(numbers[0])});
    file.finish();
  });
}

void put(Store& store, const std::string& path, const Column& column) {
  const Shape shape = shape_of(column);
  if (column.kind() == ColumnKind::Integers) {
    const std::vector<std::int32_t> numbers = numbers_of<std::int32_t>(column);
    store.put(path, std::vector<std::int64_t>(numbers.begin(), numbers.end()), shape);
    return;
  }
  const bool are_bytes = column.kind() == ColumnKind::Bytes;
  const Tensor tensor(shape, {are_bytes ? Dtype::F32 : column.dtype(), Device::Cpu});
  with_numbers(column, [&](const auto& numbers, const char*) {
    if (are_bytes) {
      float* out = tensor.host<float>();
      for (const auto number : numbers) *out++ = static_cast<float>(number) / 255.0F;
    } else {
      std::memcpy(tensor.data(), numbers.data(), numbers.size() * sizeof(numbers[0]));
    }
  });
  store.put(path, tensor);
}

}  // namespace

std::vector<NamedSamples> parts_of(const Dataset& data, const std::string& only) {
  std::vector<NamedSamples> parts;
  std::vector<std::string> names;
  for (const NamedSamples& part :
       {NamedSamples{"train", data.train}, NamedSamples{"validation", data.validation},
        NamedSamples{"test", data.test}}) {
    if (part.samples.count == 0) continue;
    names.push_back(part.name);
    if (only.empty() || only == part.name) parts.push_back(part);
  }
  if (parts.empty())
    throw Error(
        fmt::format("[export] expected one of the parts {}, received '{}'", fmt::join(names, ", "), only));
  return parts;
}

void export_samples(const std::string& path, const std::vector<NamedSamples>& parts,
                    const std::string& column) {
  if (path.ends_with(".npy")) {
    if (parts.size() > 1) {
      throw Error(
          fmt::format("[export] expected one part of the data in a .npy file, received {}; choose "
                      "one, or write a .h5 file",
                      parts.size()));
    }
    const Samples& samples = parts[0].samples;
    write_npy(path, column.empty() ? samples.first() : samples[column]);
    return;
  }
  if (!path.ends_with(".h5") && !path.ends_with(".hdf5"))
    throw Error(fmt::format("[export] expected a file FILE.h5, .hdf5 or .npy to write, received '{}'", path));
  Store store;
  for (const auto& [name, samples] : parts) {
    for (const Column& one : column.empty() ? samples.columns : std::vector<Column>{samples[column]})
      put(store, name + "/" + one.name(), one);
  }
  store.save(path);
}

}  // namespace basin
