#include "data/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "results/files/atomic_file.h"
#include "results/hdf5/store.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Writes all rows, as they are stored, to `out`.
void gather_all(const Column& column, void* out) {
  std::vector<Index> rows(static_cast<std::size_t>(column.count()));
  std::iota(rows.begin(), rows.end(), Index{0});
  column.gather(rows, out);
}

template <class T>
std::vector<T> numbers_of(const Column& column) {
  std::vector<T> numbers(static_cast<std::size_t>(column.count() * column.sample_size()));
  gather_all(column, numbers.data());
  return numbers;
}

Shape shape_of(const Column& column) {
  Shape shape = column.shape();
  shape.insert(shape.begin(), column.count());
  return shape;
}

/// The name of a column's numbers in NumPy.
const char* type_of(const Column& column) {
  if (column.kind() == ColumnKind::Bytes) return "|u1";
  if (column.kind() == ColumnKind::Integers) return "<i4";
  return column.dtype() == Dtype::F64 ? "<f8" : "<f4";
}

void write_npy(const std::string& path, const Column& column) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}",
                                   type_of(column), fmt::join(shape_of(column), ", "));
  constexpr std::size_t kBefore = 10, kStep = 64;  // the header ends at a multiple of 64 bytes, by a line
  header.resize((kBefore + header.size() + kStep) / kStep * kStep - kBefore - 1, ' ');
  header += '\n';
  std::string rows(static_cast<std::size_t>(column.count()) * column.row_bytes(), '\0');
  gather_all(column, rows.data());
  AtomicFile file(path);
  file.write(std::string("\x93NUMPY\x01\x00", 8));
  file.write({std::string{static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)}});
  file.write(header);
  file.write(rows);
  file.finish();
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
  if (are_bytes) {
    const std::vector<std::uint8_t> numbers = numbers_of<std::uint8_t>(column);
    std::ranges::transform(numbers, tensor.host<float>(),
                           [](std::uint8_t number) { return static_cast<float>(number) / 255.0F; });
  } else {
    gather_all(column, tensor.data());
  }
  store.put(path, tensor);
}

Samples without(const Samples& samples, const std::string& column) {
  Samples rest;
  for (const Column& one : samples.columns) {
    if (one.name() != column) rest.add(one);
  }
  return rest;
}

}  // namespace

std::vector<NamedSamples> parts_of(const Dataset& data, const std::string& only) {
  std::vector<NamedSamples> parts;
  std::vector<std::string> names;
  const Column* labels = data.train.columns.empty() ? nullptr : data.train.labels();
  const bool hides = labels != nullptr && data.labelled.count > 0 && data.labelled.count < data.train.count;
  for (const NamedSamples& part :
       {NamedSamples{"train", hides ? without(data.train, labels->name()) : data.train},
        NamedSamples{"labelled", hides ? data.labelled : Samples{}},
        NamedSamples{"validation", data.validation}, NamedSamples{"test", data.test}}) {
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
      std::vector<std::string> names;
      for (const NamedSamples& part : parts) names.push_back(part.name);
      throw Error(
          fmt::format("[export] expected one part of the data in a .npy file, received {}; choose "
                      "one by --part ({}), or write a .h5 file",
                      parts.size(), fmt::join(names, ", ")));
    }
    const Samples& samples = parts[0].samples;
    write_npy(path, column.empty() ? samples.first() : samples[column]);
    return;
  }
  if (!path.ends_with(".h5") && !path.ends_with(".hdf5"))
    throw Error(fmt::format("[export] expected a file FILE.h5, .hdf5 or .npy to write, received '{}'", path));
  Store store;
  for (const auto& [name, samples, attributes] : parts) {
    for (const Column& one : column.empty() ? samples.columns : std::vector<Column>{samples[column]})
      put(store, name + "/" + one.name(), one);
    const std::string first = name + "/" + samples.first().name();
    for (const auto& [key, text] : attributes) {
      if (column.empty() || column == samples.first().name()) store.attribute(first, key, text);
    }
  }
  store.save(path);
}

}  // namespace basin
