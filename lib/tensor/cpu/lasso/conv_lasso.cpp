#include <omp.h>

#include <algorithm>
#include <cmath>

#include "tensor/cpu/lasso/conv_lasso_decode.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

/// Rows of codes that are moved, and then decoded: they fit the second cache of a core.
constexpr Index kTogether = 2;
constexpr Index kRows = kConvLassoRows;

/// Multiply-adds that count as one element of a loop over memory where threads are concerned.
constexpr Index kMultiplyAdds = 8;

/// y - D u with zeros around the image, row 0 that which the first filter row of code row `first` meets, and
/// the sums of its neighbouring rows: what `rows` rows of codes need.
template <class T>
struct Residual {
  static Index room(const ConvLassoCall& call, const ConvLassoLayout<T>& layout, Index rows) {
    return 2 * call.channels * (rows + call.filter_height - 1) * layout.residual_pitch;
  }

  Residual(const ConvLassoCall& call, const ConvLassoLayout<T>& layout, Index image, T momentum, Index first,
           Index rows, T* memory) {
    const T* y = of_image<T>(call.y, layout.image_size, image);
    const T* now = of_image<T>(static_cast<const void*>(call.image), layout.image_size, image);
    const T* before =
        call.stage == ConvLassoStage::Step
            ? of_image<T>(static_cast<const void*>(call.previous_image), layout.image_size, image)
            : now;
    const Index height = call.image_height(), width = call.image_width(),
                tall = rows + call.filter_height - 1;
    const Index pitch = layout.residual_pitch, size = call.channels * tall * pitch;
    T* line = memory;
    for (Index c = 0; c < call.channels; ++c) {
      for (Index row = first - call.padding_y; row < first - call.padding_y + tall; ++row, line += pitch) {
        std::fill(line, line + pitch, T{0});
        if (row < 0 || row >= height) continue;
        // Column j of the image lies at j + padding; what lies beyond the pitch is met by no filter.
        const Index at = (c * height + row) * width, wanted = std::min(width, pitch - call.padding_x);
        T* inside = line + call.padding_x;
#pragma omp simd
        for (Index j = 0; j < wanted; ++j)
          inside[j] = y[at + j] - (now[at + j] + momentum * (now[at + j] - before[at + j]));
      }
    }
    // The last row of a channel gets one that nobody reads.
    T* sums = memory + size;
#pragma omp simd
    for (Index i = 0; i < size - pitch; ++i) sums[i] = memory[i] + memory[i + pitch];
    alone = {memory, tall * pitch, pitch};
    paired = {sums, tall * pitch, pitch};
  }

  Plane<T> alone, paired;
};

/// The filters as PairedFilters has them.
template <class T>
class PackedPairs {
 public:
  PackedPairs(CpuBackend& backend, const ConvLassoCall& call)
      : even_{call.channels, (call.filter_height + 1) / 2, call.filter_width},
        odd_{call.channels, call.filter_height / 2, call.filter_width},
        memory_(backend, call.padded_filters() * (2 * even_.count() + odd_.count())) {
    const T* w = static_cast<const T*>(call.w);
    const Index height = call.filter_height, width = call.filter_width, channels = call.channels;
    const auto at = [=](Index k, Index c, Index u, Index v) {
      return u < height ? w[((k * channels + c) * height + u) * width + v] : T{0};
    };
    pack_filters(
        call.filters, even_,
        [&](Index k, Index c, Index u, Index v) { return at(k, c, 2 * u, v) - at(k, c, 2 * u + 1, v); },
        memory_.data());
    pack_filters(
        call.filters, even_, [&](Index k, Index c, Index u, Index v) { return at(k, c, 2 * u, v); },
        even_weights(call));
    pack_filters(
        call.filters, odd_, [&](Index k, Index c, Index u, Index v) { return at(k, c, 2 * u + 1, v); },
        even_weights(call) + call.padded_filters() * even_.count());
  }

  PairedFilters<T> filters(const ConvLassoCall& call) const {
    return {even_, odd_, memory_.data(), even_weights(call),
            even_weights(call) + call.padded_filters() * even_.count()};
  }

 private:
  T* even_weights(const ConvLassoCall& call) const {
    return memory_.data() + call.padded_filters() * even_.count();
  }

  Taps even_, odd_;
  Workspace<T> memory_;
};

/// |y - D z|^2 and z'D'(y - D z) = (D z)'(y - D z).
template <class T>
void measure_residual(const ConvLassoCall& call, const ConvLassoLayout<T>& layout, Index image,
                      ConvLassoSums& sums) {
  const T* y = of_image<T>(call.y, layout.image_size, image);
  const T* now = of_image<T>(static_cast<const void*>(call.image), layout.image_size, image);
  for (Index i = 0; i < layout.image_size; ++i) {
    const double r = static_cast<double>(y[i]) - static_cast<double>(now[i]);
    sums.residual += r * r;
    sums.product += static_cast<double>(now[i]) * r;
  }
}

/// Step and Measure: the correlations of y - D u with the filters, and what they do to the codes; few codes
/// are decoded at once.
template <class T>
void analyse(CpuBackend& backend, const ConvLassoCall& call, const ConvLassoLayout<T>& layout,
             const SparseDecoder* few) {
  const PackedPairs<T> packed(backend, call);
  const PairedFilters<T> filters = packed.filters(call);
  const Index room = Residual<T>::room(call, layout, kRows);
  const Workspace<T> memory(backend, room * omp_get_max_threads());
  const Index bands = (call.height + kRows - 1) / kRows;
  const Workspace<ConvLassoSums> parts(backend, call.count * bands);

  const bool moves = call.stage == ConvLassoStage::Step;
  const Index cost =
      kRows * call.padded_width() * call.padded_filters() * (call.w_size() / call.filters) / kMultiplyAdds;
  parallel_ranges(call.count * bands, cost, 1, [&](Index begin, Index end) {
    for (Index item = begin; item < end; ++item) {
      const Index slot = item / bands, image = call.which[slot], first = item % bands * kRows;
      const Index rows = std::min(kRows, call.height - first),
                  at = layout.first_code + first * call.row_size();
      const T momentum = moves ? static_cast<T>(call.momentum[slot]) : T{0};
      ConvLassoSums& sums = parts.data()[item];
      sums = {};
      auto* occupied = static_cast<std::uint8_t*>(call.occupancy);
      const Residual<T> rest(call, layout, image, momentum, first, kRows,
                             memory.data() + omp_get_thread_num() * room);
      const bool scatters = few != nullptr && few->has(slot);
      if (scatters) few->clear(slot, item % bands);
      for (Index row = 0; row < rows; row += kTogether) {
        const Index together = std::min(kTogether, rows - row), here = at + row * call.row_size();
        conv_lasso_rows(ConvLassoRows<T>{
            .residual = rest.alone.at(row, 0),
            .paired = rest.paired.at(row, 0),
            .filters = filters,
            .rows = together,
            .width = call.width,
            .padded_width = call.padded_width(),
            .padded_filters = call.padded_filters(),
            .pitch = call.pitch(),
            .codes = of_image<T>(static_cast<const void*>(call.codes), layout.code_size, image) + here,
            .previous = moves ? of_image<T>(call.previous, layout.code_size, image) + here : nullptr,
            .target = call.target_rows != nullptr
                          ? of_image<T>(call.target_rows, layout.code_size, image) + here
                          : nullptr,
            .weight = static_cast<T>(call.weight),
            .attraction = static_cast<T>(call.attraction),
            .step = static_cast<T>(call.step),
            .lambda = static_cast<T>(call.lambda),
            .momentum = momentum,
            .non_negative = call.non_negative,
            .occupied = moves ? occupied + (image * call.height + first + row) * layout.record : nullptr,
            .occupied_stride = layout.record,
            .sums = &sums});
        if (scatters) few->add(slot, item % bands, row, together);
      }
      if (!moves && first == 0) measure_residual(call, layout, image, sums);
    }
  });
  for (Index slot = 0; slot < call.count; ++slot) {
    ConvLassoSums all;
    for (Index band = 0; band < bands; ++band) {
      const ConvLassoSums& part = parts.data()[slot * bands + band];
      all.uphill += part.uphill;
      all.move += part.move;
      all.length += part.length;
      all.residual += part.residual;
      all.product += part.product;
      all.deviation += part.deviation;
      all.along += part.along;
      all.norm += part.norm;
      all.largest = std::fmax(all.largest, part.largest);
    }
    call.sums[slot] = all;
  }
}

template <class T>
Index decoding_cost(const ConvLassoCall& call) {
  return kRows * call.image_width() * call.filters * call.channels * call.filter_height * call.filter_width /
         kMultiplyAdds;
}

/// Synthesis: the image of `codes`.
template <class T>
void synthesise(CpuBackend& backend, const ConvLassoCall& call, const ConvLassoLayout<T>& layout) {
  const DenseDecoder<T> dense(backend, call, layout);
  const Index bands = (call.image_height() + kRows - 1) / kRows;
  parallel_ranges(call.count * bands, decoding_cost<T>(call), 1, [&](Index begin, Index end) {
    for (Index item = begin; item < end; ++item) {
      const Index image = call.which[item / bands];
      dense.decode(of_image<T>(static_cast<const void*>(call.codes), layout.code_size, image),
                   item % bands * kRows, of_image<T>(call.image, layout.image_size, image));
    }
  });
}

/// The end of a step: the images of the new codes.
template <class T>
void decode(CpuBackend& backend, const ConvLassoCall& call, const ConvLassoLayout<T>& layout,
            const SparseDecoder* few) {
  const Index bands = (call.image_height() + kRows - 1) / kRows;
  const DenseDecoder<T> dense(backend, call, layout);
  parallel_ranges(call.count * bands, decoding_cost<T>(call), 1, [&](Index begin, Index end) {
    for (Index item = begin; item < end; ++item) {
      const Index slot = item / bands, first = item % bands * kRows, image = call.which[slot];
      if (few != nullptr && few->has(slot)) {
        few->add_up(slot, first, std::min(first + kRows, call.image_height()));
      } else {
        dense.decode(of_image<T>(static_cast<const void*>(call.previous), layout.code_size, image), first,
                     of_image<T>(call.previous_image, layout.image_size, image));
      }
    }
  });
}

template <class T>
void step(CpuBackend& backend, const ConvLassoCall& call, const ConvLassoLayout<T>& layout) {
  if constexpr (sizeof(T) == 4) {
    const SparseDecoder few(backend, call, layout);
    analyse(backend, call, layout, &few);
    decode(backend, call, layout, &few);
  } else {
    analyse(backend, call, layout, nullptr);
    decode(backend, call, layout, nullptr);
  }
}

template <class T>
void conv_lasso_as(CpuBackend& backend, const ConvLassoCall& call) {
  const ConvLassoLayout<T> layout(call);
  switch (call.stage) {
    case ConvLassoStage::Synthesis:
      return synthesise(backend, call, layout);
    case ConvLassoStage::Step:
      return step(backend, call, layout);
    case ConvLassoStage::Measure:
      return analyse(backend, call, layout, nullptr);
  }
}

}  // namespace

void conv_lasso(CpuBackend& backend, const ConvLassoCall& call) {
  if (call.count <= 0) return;
  if (call.dtype == Dtype::F32) conv_lasso_as<float>(backend, call);
  if (call.dtype == Dtype::F64) conv_lasso_as<double>(backend, call);
}

}  // namespace basin
