// The gradient of a convolution by its input: as many products as there are residues of the strides, each with the taps
// that meet that residue.
#include <cstring>

#include "runtime/convolution_run.h"

namespace lamina::runtime {

namespace {

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
    one.first = std::max<std::int64_t>(0, ceil_divide(from, stride));
    one.count = std::max<std::int64_t>(0, ceil_divide(end, stride) - one.first);
    classes.push_back(one);
  }
  return classes;
}

}  // namespace

// weight (out, in, window) as (classes of taps, in, out, taps of the class), a group after the other.
template <typename T>
void ConvolutionRun<T>::rearrange_weight() const {
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
            if (count == window) {
              std::copy_n(from, count, written);
              continue;
            }
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
void ConvolutionRun<T>::backward_to_input() const {
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
      const std::int64_t image_blocks = cut.image_blocks * cut.row_blocks * group_blocks;
      const std::int64_t part =
          channels_in_block(in, image_blocks, out * class_taps * cut.images * cut.rows * column_class.count);
      const std::int64_t parts = ceil_divide(in, part);
      for_each_block(image_blocks * parts, [&](std::int64_t number) {
        const std::int64_t first_channel = number % parts * part, channels = std::min(part, in - first_channel);
        const std::int64_t block = number / parts;
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
        const ConvolutionScratch<T> scratch(planes, in_place ? 0 : channels * images * columns,
                                            kernels::table().windows_workspace[kType<T>](args));
        const std::int64_t row = (row_class.first + first) * step.stride[0] + row_class.residue - step.padding[0];
        const std::int64_t column = column_class.first * step.stride[1] + column_class.residue - step.padding[1];
        args.planes = scratch.planes;
        args.workspace = scratch.workspace;
        args.m = static_cast<std::size_t>(channels);
        args.a_row = out * class_taps;
        args.c_row = in_place ? x_plane : images * columns;
        for (std::int64_t group = first_group; group < std::min(first_group + together, step.groups); ++group) {
          fill(planes, scratch.planes, y + (image * step.out + group * out) * y_plane, y_plane, step.out * y_plane);
          T* const target =
              x + (image * step.channels + group * in + first_channel) * x_plane + row * step.x_size[1] + column;
          args.a = matrix + group * out * taps + first_channel * out * class_taps;
          args.c = in_place ? target : scratch.result;
          kernels::table().windows_by_columns[kType<T>](args);
          if (!in_place) spread(scratch.result, target, channels, images, rows, width);
        }
      });
    }
  }
}

template void ConvolutionRun<float>::backward_to_input() const;
template void ConvolutionRun<double>::backward_to_input() const;

}  // namespace lamina::runtime
