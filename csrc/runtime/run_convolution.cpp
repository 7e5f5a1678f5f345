// Convolutions: cuts them into blocks of images and rows for the pool, and each block into planes and one product with
// the matrix of their windows. Where the cuts lie depends on shapes alone.
#include <algorithm>
#include <cstring>

#include "runtime/image_planes.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

using kernels::WindowsArgs;

// Columns of one block: as many as share a packed panel of the weight well. Small images are joined, large ones cut.
constexpr std::int64_t kFewColumns = 64, kManyColumns = 512;
// Multiply-adds below which sharing costs more than it saves.
constexpr std::int64_t kSharedWork = 150'000;
// Taps of one block of the weight's gradient: whole panels for every instruction set.
constexpr std::int64_t kTapsInBlock = 64;

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Blocks of whole images, or of rows of one image.
struct Cut {
  std::int64_t images, rows;  // of a block
  std::int64_t image_blocks, row_blocks;

  Cut(std::int64_t all_images, std::int64_t all_rows, std::int64_t width) {
    const std::int64_t columns = all_rows * width;
    images = columns >= kFewColumns ? 1 : std::min(all_images, ceil_divide(kFewColumns, columns));
    rows = ceil_divide(all_rows, ceil_divide(all_rows, std::max<std::int64_t>(1, kManyColumns / width)));
    image_blocks = ceil_divide(all_images, images);
    row_blocks = ceil_divide(all_rows, rows);
  }
};

// Groups of one block: small ones share the tables of offsets.
constexpr std::int64_t kBlockWork = 200'000;
std::int64_t groups_in_block(std::int64_t groups, std::int64_t work) {
  return std::clamp<std::int64_t>(kBlockWork / std::max<std::int64_t>(work, 1), 1, groups);
}

// Scratch of a block, one after the other: planes, a result that is not where it shall end up, the kernel's workspace.
template <typename T>
struct Scratch {
  T *planes, *result;
  void* workspace;

  Scratch(const Planes& layout, std::int64_t result_elements, std::size_t workspace_bytes) {
    const auto rounded = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
    const std::size_t planes_bytes = rounded(layout.elements() * sizeof(T));
    const std::size_t result_bytes = rounded(static_cast<std::size_t>(result_elements) * sizeof(T));
    auto* bytes = static_cast<std::byte*>(thread_scratch(planes_bytes + result_bytes + workspace_bytes));
    planes = reinterpret_cast<T*>(bytes);
    result = reinterpret_cast<T*>(bytes + planes_bytes);
    workspace = bytes + planes_bytes + result_bytes;
  }
};

using Offsets = std::vector<std::ptrdiff_t>;

// The starts of `rows` rows of each image of a block.
Offsets row_starts(const Planes& planes, std::int64_t rows) {
  Offsets starts;
  for (std::int64_t image = 0; image < planes.images; ++image)
    for (std::int64_t row = 0; row < rows; ++row)
      starts.push_back((image * planes.vertical.count + row) * planes.horizontal.count);
  return starts;
}

template <typename T>
struct Run {
  const ConvolutionStep& step;
  T *x, *weight, *y, *rearranged;
  std::int64_t x_plane = step.x_size[0] * step.x_size[1], y_plane = step.y_size[0] * step.y_size[1];
  std::int64_t window = step.window[0] * step.window[1];
  std::int64_t in = step.channels / step.groups, out = step.out / step.groups;  // of a group
  std::int64_t taps = in * window;
  WindowAxis vertical = window_axis(step.window[0], step.stride[0], step.dilation[0]);
  WindowAxis horizontal = window_axis(step.window[1], step.stride[1], step.dilation[1]);

  template <typename Body>
  void for_each_block(std::int64_t blocks, Body body) const {
    const bool shared = step.images * step.out * y_plane * taps >= kSharedWork;
    parallel_for(static_cast<std::size_t>(blocks), shared ? 1 : static_cast<std::size_t>(blocks),
                 [&](std::size_t begin, std::size_t end) {
                   for (std::size_t block = begin; block < end; ++block) body(static_cast<std::int64_t>(block));
                 });
  }

  // Of x, for `rows` rows of windows from `row` on.
  Planes planes_of_x(std::int64_t images, std::int64_t channels, std::int64_t row, std::int64_t rows) const {
    return {{step.x_size[0], step.stride[0], row * step.stride[0] - step.padding[0], rows + vertical.reach,
             vertical.residues},
            {step.x_size[1], step.stride[1], -step.padding[1], step.y_size[1] + horizontal.reach, horizontal.residues},
            channels,
            images};
  }

  // Where in the planes the taps from `first` to `end` (numbered through channels) are.
  Offsets tap_offsets(const Planes& planes, std::int64_t first, std::int64_t end) const {
    Offsets offsets;
    const std::int64_t first_channel = first / window;
    for (std::int64_t tap = first; tap < end; ++tap) {
      const auto i = static_cast<std::size_t>(tap % window / step.window[1]);
      const auto j = static_cast<std::size_t>(tap % step.window[1]);
      offsets.push_back(planes.offset(tap / window - first_channel, vertical.slot[i], horizontal.slot[j]) +
                        vertical.shift[i] * planes.horizontal.count + horizontal.shift[j]);
    }
    return offsets;
  }

  void forward() const;
  void backward_to_input() const;
  void backward_to_weight() const;
  void rearrange_weight() const;
  // A result for x, to where its rows and columns lie.
  void spread(const T* from, T* target, std::int64_t images, std::int64_t rows, std::int64_t width) const {
    for (std::int64_t channel = 0; channel < in; ++channel)
      for (std::int64_t i = 0; i < images; ++i)
        for (std::int64_t r = 0; r < rows; ++r) {
          T* const to = target + (i * step.channels + channel) * x_plane + r * step.stride[0] * step.x_size[1];
          for (std::int64_t q = 0; q < width; ++q) to[q * step.stride[1]] = *from++;
        }
  }
};

template <typename T>
WindowsArgs windows_of(const Offsets& offsets, const Offsets& rows, std::int64_t width) {
  WindowsArgs args{};
  args.offsets = offsets.data();
  args.taps = offsets.size();
  args.rows = rows.data();
  args.row_count = rows.size();
  args.width = static_cast<std::size_t>(width);
  return args;
}

template <typename T>
constexpr std::size_t kType = index_of(sizeof(T) == 4 ? DType::kFloat32 : DType::kFloat64);

template <typename T>
void Run<T>::forward() const {
  const Cut cut(step.images, step.y_size[0], step.y_size[1]);
  const std::int64_t together = groups_in_block(step.groups, out * taps * cut.images * cut.rows * step.y_size[1]);
  const std::int64_t group_blocks = ceil_divide(step.groups, together);
  for_each_block(cut.image_blocks * cut.row_blocks * group_blocks, [&](std::int64_t block) {
    const std::int64_t first_group = block % group_blocks * together;
    const std::int64_t row = block / group_blocks % cut.row_blocks * cut.rows;
    const std::int64_t image = block / group_blocks / cut.row_blocks * cut.images;
    const std::int64_t rows = std::min(cut.rows, step.y_size[0] - row);
    const std::int64_t images = std::min(cut.images, step.images - image);
    const Planes planes = planes_of_x(images, in, row, rows);
    const Offsets offsets = tap_offsets(planes, 0, taps), starts = row_starts(planes, rows);
    WindowsArgs args = windows_of<T>(offsets, starts, step.y_size[1]);
    const std::int64_t columns = rows * step.y_size[1];
    const Scratch<T> scratch(planes, images == 1 ? 0 : out * images * columns,
                             kernels::table().windows_workspace[kType<T>](args));
    args.planes = scratch.planes;
    args.workspace = scratch.workspace;
    args.m = static_cast<std::size_t>(out);
    args.a_row = taps;
    args.c_row = images == 1 ? y_plane : images * columns;
    for (std::int64_t group = first_group; group < std::min(first_group + together, step.groups); ++group) {
      fill(planes, scratch.planes, x + (image * step.channels + group * in) * x_plane, x_plane,
           step.channels * x_plane);
      T* const target = y + (image * step.out + group * out) * y_plane + row * step.y_size[1];
      args.a = weight + group * out * taps;
      args.c = images == 1 ? target : scratch.result;
      kernels::table().windows_by_columns[kType<T>](args);
      if (images == 1) continue;
      for (std::int64_t channel = 0; channel < out; ++channel)
        for (std::int64_t i = 0; i < images; ++i)
          std::copy_n(scratch.result + (channel * images + i) * columns, columns,
                      target + (i * step.out + channel) * y_plane);
    }
  });
}

// The taps of one residue along an axis: for x at r * stride + residue - padding, y is read at r - shift.
struct Class {
  std::int64_t residue;
  std::vector<std::size_t> taps;
  std::int64_t first, count;  // the r for which x has an element
};
std::vector<Class> classes_of(const WindowAxis& axis, std::int64_t stride, std::int64_t padding, std::int64_t size) {
  std::vector<Class> classes;
  for (std::size_t slot = 0; slot < axis.residues.size(); ++slot) {
    Class one{axis.residues[slot], {}, 0, 0};
    for (std::size_t tap = 0; tap < axis.slot.size(); ++tap)
      if (axis.slot[tap] == static_cast<std::int64_t>(slot)) one.taps.push_back(tap);
    const std::int64_t from = padding - one.residue, end = size + padding - one.residue;
    one.first = from <= 0 ? 0 : ceil_divide(from, stride);
    one.count = std::max<std::int64_t>(0, end <= 0 ? 0 : ceil_divide(end, stride) - one.first);
    classes.push_back(one);
  }
  return classes;
}

// weight (out, in, window) as (classes of taps, in, out, taps of the class), a group after the other.
template <typename T>
void Run<T>::rearrange_weight() const {
  const std::vector<Class> rows = classes_of(vertical, step.stride[0], step.padding[0], step.x_size[0]);
  const std::vector<Class> columns = classes_of(horizontal, step.stride[1], step.padding[1], step.x_size[1]);
  // Some channels at once: the weight is read in runs, and written in as many.
  constexpr std::int64_t kChannels = 16;
  const std::int64_t channel_blocks = ceil_divide(in, kChannels);
  for_each_block(step.groups * channel_blocks, [&](std::int64_t block) {
    const std::int64_t group = block / channel_blocks, first = block % channel_blocks * kChannels;
    const std::int64_t end = std::min(in, first + kChannels);
    T* to = rearranged + group * out * taps;
    for (const Class& upper : rows) {
      for (const Class& left : columns) {
        const auto count = static_cast<std::int64_t>(upper.taps.size() * left.taps.size());
        for (std::int64_t o = 0; o < out; ++o) {
          for (std::int64_t channel = first; channel < end; ++channel) {
            const T* const from = weight + (group * out + o) * taps + channel * window;
            T* written = to + (channel * out + o) * count;
            for (std::size_t i : upper.taps)
              for (std::size_t j : left.taps)
                *written++ = from[static_cast<std::int64_t>(i) * step.window[1] + static_cast<std::int64_t>(j)];
          }
        }
        to += in * out * count;
      }
    }
  });
}

template <typename T>
void Run<T>::backward_to_input() const {
  rearrange_weight();
  const std::vector<Class> upper = classes_of(vertical, step.stride[0], step.padding[0], step.x_size[0]);
  const std::vector<Class> left = classes_of(horizontal, step.stride[1], step.padding[1], step.x_size[1]);
  const bool direct = step.stride[0] == 1 && step.stride[1] == 1;
  if (static_cast<std::int64_t>(upper.size() * left.size()) < step.stride[0] * step.stride[1])
    std::memset(x, 0, static_cast<std::size_t>(step.images * step.channels * x_plane) * sizeof(T));
  std::int64_t before = 0;  // taps of the classes before
  for (const Class& row_class : upper) {
    for (const Class& column_class : left) {
      const auto class_taps = static_cast<std::int64_t>(row_class.taps.size() * column_class.taps.size());
      const T* const matrix = rearranged + in * out * before;
      before += class_taps;
      if (row_class.count == 0 || column_class.count == 0) continue;
      const Cut cut(step.images, row_class.count, column_class.count);
      const std::int64_t together =
          groups_in_block(step.groups, in * out * class_taps * cut.images * cut.rows * column_class.count);
      const std::int64_t group_blocks = ceil_divide(step.groups, together);
      for_each_block(cut.image_blocks * cut.row_blocks * group_blocks, [&](std::int64_t block) {
        const std::int64_t first_group = block % group_blocks * together;
        const std::int64_t first = block / group_blocks % cut.row_blocks * cut.rows;
        const std::int64_t image = block / group_blocks / cut.row_blocks * cut.images;
        const std::int64_t rows = std::min(cut.rows, row_class.count - first);
        const std::int64_t images = std::min(cut.images, step.images - image);
        const std::int64_t width = column_class.count, columns = rows * width;
        const Planes planes{{step.y_size[0], 1, row_class.first + first - vertical.reach, rows + vertical.reach, {0}},
                            {step.y_size[1], 1, column_class.first - horizontal.reach, width + horizontal.reach, {0}},
                            out,
                            images};
        Offsets offsets;
        for (std::int64_t o = 0; o < out; ++o)
          for (std::size_t i : row_class.taps)
            for (std::size_t j : column_class.taps)
              offsets.push_back(planes.offset(o, 0, 0) +
                                (vertical.reach - vertical.shift[i]) * planes.horizontal.count + horizontal.reach -
                                horizontal.shift[j]);
        const Offsets starts = row_starts(planes, rows);
        WindowsArgs args = windows_of<T>(offsets, starts, width);
        const bool in_place = direct && images == 1;
        const Scratch<T> scratch(planes, in_place ? 0 : in * images * columns,
                                 kernels::table().windows_workspace[kType<T>](args));
        const std::int64_t row = (row_class.first + first) * step.stride[0] + row_class.residue - step.padding[0];
        const std::int64_t column = column_class.first * step.stride[1] + column_class.residue - step.padding[1];
        args.planes = scratch.planes;
        args.workspace = scratch.workspace;
        args.m = static_cast<std::size_t>(in);
        args.a_row = out * class_taps;
        args.c_row = in_place ? x_plane : images * columns;
        for (std::int64_t group = first_group; group < std::min(first_group + together, step.groups); ++group) {
          fill(planes, scratch.planes, y + (image * step.out + group * out) * y_plane, y_plane, step.out * y_plane);
          T* const target = x + (image * step.channels + group * in) * x_plane + row * step.x_size[1] + column;
          args.a = matrix + group * out * taps;
          args.c = in_place ? target : scratch.result;
          kernels::table().windows_by_columns[kType<T>](args);
          if (!in_place) spread(scratch.result, target, images, rows, width);
        }
      });
    }
  }
}

template <typename T>
void Run<T>::backward_to_weight() const {
  const std::int64_t tap_blocks = ceil_divide(taps, kTapsInBlock);
  const std::int64_t row_blocks = std::clamp<std::int64_t>(8 / (tap_blocks * step.groups), 1, ceil_divide(out, 14));
  const std::int64_t block_rows = ceil_divide(out, row_blocks);
  const std::int64_t together = groups_in_block(step.groups, out * taps * step.images * y_plane);
  const std::int64_t group_blocks = ceil_divide(step.groups, together);
  for_each_block(tap_blocks * group_blocks * row_blocks, [&](std::int64_t block) {
    const std::int64_t first_row = block % row_blocks * block_rows;
    const std::int64_t first_group = block / row_blocks % group_blocks * together;
    const std::int64_t first = block / row_blocks / group_blocks * kTapsInBlock;
    const std::int64_t end = std::min(taps, first + kTapsInBlock);
    if (first_row >= out) return;
    const std::int64_t channel = first / window;
    const Planes planes = planes_of_x(1, (end - 1) / window - channel + 1, 0, step.y_size[0]);
    const Offsets offsets = tap_offsets(planes, first, end), starts = row_starts(planes, step.y_size[0]);
    WindowsArgs args = windows_of<T>(offsets, starts, step.y_size[1]);
    const Scratch<T> scratch(planes, 0, kernels::table().windows_workspace[kType<T>](args));
    args.planes = scratch.planes;
    args.workspace = scratch.workspace;
    args.m = static_cast<std::size_t>(std::min(block_rows, out - first_row));
    args.a_row = y_plane;
    args.c_row = taps;
    for (std::int64_t group = first_group; group < std::min(first_group + together, step.groups); ++group) {
      args.c = weight + (group * out + first_row) * taps + first;
      for (std::int64_t image = 0; image < step.images; ++image) {
        fill(planes, scratch.planes, x + (image * step.channels + group * in + channel) * x_plane, x_plane, x_plane);
        args.a = y + (image * step.out + group * out + first_row) * y_plane;
        args.accumulate = image > 0;
        kernels::table().windows_by_taps[kType<T>](args);
      }
    }
  });
}

template <typename T>
void run_typed(const ConvolutionStep& step, Slots slots) {
  const auto pointer = [&](const Location& location) { return reinterpret_cast<T*>(at(slots, location)); };
  const bool empty = step.images == 0 || step.channels == 0 || step.window[0] * step.window[1] == 0 ||
                     step.y_size[0] * step.y_size[1] == 0;
  Run<T> run{step, pointer(step.x), pointer(step.weight), pointer(step.y),
             step.kind == Convolution::input ? pointer(step.rearranged) : nullptr};
  const auto zero = [](T* to, std::int64_t elements) { std::fill_n(to, elements, T(0)); };
  switch (step.kind) {
    case Convolution::forward:
      return empty ? zero(run.y, step.images * step.out * run.y_plane) : run.forward();
    case Convolution::input:
      return empty ? zero(run.x, step.images * step.channels * run.x_plane) : run.backward_to_input();
    case Convolution::weight:
      return empty ? zero(run.weight, step.out * run.taps) : run.backward_to_weight();
  }
}

}  // namespace

void run(const ConvolutionStep& step, Slots slots) {
  step.dtype == DType::kFloat32 ? run_typed<float>(step, slots) : run_typed<double>(step, slots);
}

}  // namespace lamina::runtime
