#include "tensor/cpu/conv/conv_onednn.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <map>
#include <memory>
#include <mutex>

#include "tensor/cpu/one_thread.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/workspace.h"

namespace basin {
namespace {

using dnnl::memory;

/// Bytes of images that a piece works on, about half of a second-level cache.
constexpr Index kPieceBytes = 256 * 1024;

/// Groups of pieces whose filters' sums are added up apart, however many threads there are.
constexpr Index kGroups = 16;

/// Multiply-adds that count as one element of a loop over memory where threads are concerned.
constexpr Index kMultiplyAdds = 8;

dnnl::engine& engine() {
  static dnnl::engine& one = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return one;
}

std::size_t floats(const memory::desc& desc) { return (desc.get_size() + sizeof(float) - 1) / sizeof(float); }

/// One array: as it lies in tensors, as the kernel wants it, and the way between them.
struct Side {
  memory::desc plain, own;
  dnnl::reorder to_own, to_plain;
  bool reorders = false;

  Side() = default;
  Side(memory::desc in_tensors, memory::desc in_kernel)
      : plain(std::move(in_tensors)), own(std::move(in_kernel)), reorders(plain != own) {
    if (!reorders) return;
    to_own = dnnl::reorder({engine(), plain, engine(), own});
    to_plain = dnnl::reorder({engine(), own, engine(), plain});
  }
  /// Numbers of the kernel's copy.
  std::size_t room() const { return reorders ? (floats(own) + 15) / 16 * 16 : 0; }
};

/// The kernel of one product for pieces of so many images.
struct Plan {
  Index images = 0;
  Side x, w, y;
  dnnl::primitive kernel;
  std::size_t scratch = 0;
};

/// A memory of the library on numbers of ours.
memory on(const memory::desc& desc, const void* address) {
  return {desc, engine(), const_cast<void*>(address)};
}

/// Numbers as the kernel reads them: in place, or copied to `room`.
memory read(dnnl::stream& stream, const Side& side, const float* address, float* room) {
  if (!side.reorders) return on(side.own, address);
  memory copy = on(side.own, room);
  memory plain = on(side.plain, address);
  side.to_own.execute(stream, plain, copy);
  return copy;
}

/// A kernel by its operation: version 3 of the library takes all of it at once, version 2 a description
/// apart.
template <class Kernel, class... Operation>
typename Kernel::primitive_desc forward_kernel(const dnnl::primitive_attr& attributes,
                                               const Operation&... operation) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), operation..., attributes};
#else
  return {{operation...}, attributes, engine()};
#endif
}

/// One that goes back through `forward`.
template <class Kernel, class... Operation>
typename Kernel::primitive_desc backward_kernel(const dnnl::convolution_forward::primitive_desc& forward,
                                                const dnnl::primitive_attr& attributes,
                                                const Operation&... operation) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), operation..., forward, attributes};
#else
  return {{operation...}, attributes, engine(), forward};
#endif
}

std::unique_ptr<Plan> made(const ConvCall& call, Index images) {
  constexpr auto kAny = memory::format_tag::any, kImages = memory::format_tag::nchw;
  constexpr auto kF32 = memory::data_type::f32;
  const bool grouped = call.groups > 1;
  const memory::dims x_dims{images, call.in_channels, call.height, call.width},
      y_dims{images, call.out_channels, call.out_height(), call.out_width()},
      strides{call.stride_y, call.stride_x}, dilates{call.dilation_y - 1, call.dilation_x - 1},
      before{call.padding_y, call.padding_x};
  memory::dims w_dims{call.out_channels / call.groups, call.in_channels / call.groups, call.filter_height,
                      call.filter_width};
  if (grouped) w_dims.insert(w_dims.begin(), call.groups);
  // What the last windows reach beyond the image, which may be less than the padding.
  const auto after = [](Index extent, Index count, Index size, Index padding, Index stride, Index dilation) {
    return (count - 1) * stride + dilation * (size - 1) + 1 - extent - padding;
  };
  const memory::dims behind{
      after(call.height, y_dims[2], call.filter_height, call.padding_y, call.stride_y, call.dilation_y),
      after(call.width, y_dims[3], call.filter_width, call.padding_x, call.stride_x, call.dilation_x)};
  const memory::desc x(x_dims, kF32, kAny), w(w_dims, kF32, kAny), y(y_dims, kF32, kAny);
  const memory::desc plain_x(x_dims, kF32, kImages), plain_y(y_dims, kF32, kImages),
      plain_w(w_dims, kF32, grouped ? memory::format_tag::goihw : memory::format_tag::oihw);
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);

  const OneThread one;
  auto plan = std::make_unique<Plan>();
  plan->images = images;
  const auto forward = forward_kernel<dnnl::convolution_forward>(
      attributes, dnnl::prop_kind::forward_training, kDirect, x, w, y, strides, dilates, before, behind);
  const auto take = [&](const auto& kernel, const memory::desc& in, const memory::desc& filters,
                        const memory::desc& out) {
    plan->x = Side(plain_x, in);
    plan->w = Side(plain_w, filters);
    plan->y = Side(plain_y, out);
    plan->scratch = floats(kernel.scratchpad_desc());
  };
  switch (call.product) {
    case ConvProduct::Output:
      take(forward, forward.src_desc(), forward.weights_desc(), forward.dst_desc());
      plan->kernel = dnnl::convolution_forward(forward);
      break;
    case ConvProduct::Input: {
      const auto kernel = backward_kernel<dnnl::convolution_backward_data>(
          forward, attributes, kDirect, x, w, y, strides, dilates, before, behind);
      take(kernel, kernel.diff_src_desc(), kernel.weights_desc(), kernel.diff_dst_desc());
      plan->kernel = dnnl::convolution_backward_data(kernel);
      break;
    }
    case ConvProduct::Filter: {
      const auto kernel = backward_kernel<dnnl::convolution_backward_weights>(
          forward, attributes, kDirect, x, w, y, strides, dilates, before, behind);
      take(kernel, kernel.src_desc(), kernel.diff_weights_desc(), kernel.diff_dst_desc());
      plan->kernel = dnnl::convolution_backward_weights(kernel);
      break;
    }
  }
  return plan;
}

/// The plan of a call, made once for each shape; null where oneDNN has none.
const Plan* plan_of(const ConvCall& call, Index images) {
  using Name = std::array<Index, 15>;
  const Name name{static_cast<Index>(call.product),
                  images,
                  call.in_channels,
                  call.out_channels,
                  call.height,
                  call.width,
                  call.filter_height,
                  call.filter_width,
                  call.padding_y,
                  call.padding_x,
                  call.stride_y,
                  call.stride_x,
                  call.dilation_y,
                  call.dilation_x,
                  call.groups};
  static std::mutex& mutex = *new std::mutex;
  static std::map<Name, std::unique_ptr<Plan>>& plans = *new std::map<Name, std::unique_ptr<Plan>>;
  const std::lock_guard lock(mutex);
  const auto found = plans.find(name);
  if (found != plans.end()) return found->second.get();
  std::unique_ptr<Plan> plan;
  try {
    plan = made(call, images);
  } catch (const dnnl::error&) {
    // No kernel of oneDNN: null is remembered.
  }
  return plans.emplace(name, std::move(plan)).first->second.get();
}

/// Everything one call needs: its pieces, all but perhaps the last of one size, and their plans.
struct Pieces {
  Index images, size, count;
  const Plan *whole = nullptr, *last = nullptr;

  explicit Pieces(const ConvCall& call) : images(call.images) {
    const Index bytes = static_cast<Index>(sizeof(float)) * (call.x_size() + call.y_size()) / call.images;
    size = std::clamp<Index>(kPieceBytes / bytes, 1, images);
    count = (images + size - 1) / size;
    whole = plan_of(call, size);
    last = images % size == 0 ? whole : plan_of(call, images % size);
  }
  const Plan& of(Index piece) const { return piece + 1 == count ? *last : *whole; }
  template <class Room>
  Index most(const Room& room) const {
    return static_cast<Index>(std::max(room(*whole), room(*last)));
  }
};

constexpr Index rounded(std::size_t numbers) { return static_cast<Index>((numbers + 15) / 16 * 16); }

/// Output and Input: each piece has a part of the result of its own.
void images_of(CpuBackend& backend, const ConvCall& call, const Pieces& pieces) {
  const bool forward = call.product == ConvProduct::Output;
  const auto *from = static_cast<const float*>(forward ? call.x : call.y),
             *weights = static_cast<const float*>(call.w);
  auto* to = static_cast<float*>(call.result);
  const Index from_size = (forward ? call.x_size() : call.y_size()) / call.images,
              to_size = (forward ? call.y_size() : call.x_size()) / call.images;
  const Index room_x = pieces.most([](const Plan&plan) { return plan.x.room(); }),
              room_y = pieces.most([](const Plan&plan) { return plan.y.room(); }),
              room = room_x + room_y + rounded(static_cast<std::size_t>(pieces.most([](const Plan&plan) {
                       return plan.scratch;
                     })));
  const Index room_w = rounded(pieces.whole->w.room());
  const Workspace<float> memory_of_threads(backend, room * omp_get_max_threads() + 16),
      memory_of_weights(backend, room_w + rounded(pieces.last->w.room()) + 16);
  // The filters are reordered once for all pieces, and once more for a last one that wants another order.
  dnnl::stream stream(engine());
  const memory filters = read(stream, pieces.whole->w, weights, memory_of_weights.data()),
               last = read(stream, pieces.last->w, weights, memory_of_weights.data() + room_w);
  const Index cost = call.y_size() / call.images * pieces.size * (call.in_channels / call.groups) *
                         call.filter_height * call.filter_width / kMultiplyAdds +
                     1;
  parallel_ranges(pieces.count, cost, 1, [&](Index begin, Index end) {
    const OneThread one;
    dnnl::stream own(engine());
    float* room_of_thread = memory_of_threads.data() + omp_get_thread_num() * room;
    for (Index piece = begin; piece < end; ++piece) {
      const Plan& plan = pieces.of(piece);
      const Side &source = forward ? plan.x : plan.y, &target = forward ? plan.y : plan.x;
      float* result = to + piece * pieces.size * to_size;
      const memory in = read(own, source, from + piece * pieces.size * from_size, room_of_thread);
      memory out = on(target.own, target.reorders ? room_of_thread + (forward ? room_x : room_y) : result);
      plan.kernel.execute(
          own, {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, in},
                {DNNL_ARG_WEIGHTS, &plan == pieces.whole ? filters : last},
                {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, out},
                {DNNL_ARG_SCRATCHPAD, memory({{static_cast<memory::dim>(plan.scratch * sizeof(float))},
                                              memory::data_type::u8,
                                              memory::format_tag::a},
                                             engine(), room_of_thread + room_x + room_y)}});
      if (target.reorders) {
        memory plain = on(target.plain, result);
        target.to_plain.execute(own, out, plain);
      }
    }
  });
}

/// Filter: the sums of pieces are added up within groups, in f32, and those of the groups in their order.
void filters_of(CpuBackend& backend, const ConvCall& call, const Pieces& pieces) {
  const auto *x = static_cast<const float*>(call.x), *y = static_cast<const float*>(call.y);
  const Index x_size = call.x_size() / call.images, y_size = call.y_size() / call.images,
              w_size = call.w_size();
  const Index groups = std::min(kGroups, pieces.count);
  const Index room_x = pieces.most([](const Plan&plan) { return plan.x.room(); }),
              room_y = pieces.most([](const Plan&plan) { return plan.y.room(); }),
              room_w = pieces.most(
                  [](const Plan&plan) { return static_cast<std::size_t>(rounded(floats(plan.w.own))); }),
              scratch = rounded(
                  static_cast<std::size_t>(pieces.most([](const Plan&plan) { return plan.scratch; })));
  const Index room = room_x + room_y + room_w + rounded(static_cast<std::size_t>(w_size)) + scratch;
  const Workspace<float> memory_of_threads(backend, room * omp_get_max_threads() + 16),
      totals(backend, groups * w_size);
  const Index cost = pieces.count / groups * pieces.size * y_size * (call.in_channels / call.groups) *
                         call.filter_height * call.filter_width / kMultiplyAdds +
                     1;
  parallel_ranges(groups, cost, 1, [&](Index begin, Index end) {
    const OneThread one;
    dnnl::stream own(engine());
    float* copy_x = memory_of_threads.data() + omp_get_thread_num() * room;
    float *copy_y = copy_x + room_x, *sums = copy_y + room_y, *plain = sums + room_w,
          *scratch_of_thread = plain + rounded(static_cast<std::size_t>(w_size));
    for (Index group = begin; group < end; ++group) {
      float* total = totals.data() + group * w_size;
      std::fill_n(total, w_size, 0.0F);
      for (Index piece = group * pieces.count / groups; piece < (group + 1) * pieces.count / groups;
           ++piece) {
        const Plan& plan = pieces.of(piece);
        memory in = read(own, plan.x, x + piece * pieces.size * x_size, copy_x),
               out = read(own, plan.y, y + piece * pieces.size * y_size, copy_y),
               filters = on(plan.w.own, sums);
        plan.kernel.execute(
            own, {{DNNL_ARG_SRC, in},
                  {DNNL_ARG_DIFF_DST, out},
                  {DNNL_ARG_DIFF_WEIGHTS, filters},
                  {DNNL_ARG_SCRATCHPAD, memory({{static_cast<memory::dim>(plan.scratch * sizeof(float))},
                                                memory::data_type::u8,
                                                memory::format_tag::a},
                                               engine(), scratch_of_thread)}});
        const float* added = sums;
        if (plan.w.reorders) {
          memory turned = on(plan.w.plain, plain);
          plan.w.to_plain.execute(own, filters, turned);
          added = plain;
        }
#pragma omp simd
        for (Index i = 0; i < w_size; ++i) total[i] += added[i];
      }
    }
  });
  auto* result = static_cast<float*>(call.result);
  parallel_ranges(w_size, groups, 16, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      double sum = 0.0;
      for (Index group = 0; group < groups; ++group)
        sum += static_cast<double>(totals.data()[group * w_size + i]);
      result[i] = static_cast<float>(sum);
    }
  });
}

}  // namespace

bool conv_onednn(CpuBackend& backend, const ConvCall& call) {
  const Pieces pieces(call);
  if (pieces.whole == nullptr || pieces.last == nullptr) return false;
  if (call.product == ConvProduct::Filter) {
    filters_of(backend, call, pieces);
  } else {
    images_of(backend, call, pieces);
  }
  return true;
}

}  // namespace basin
