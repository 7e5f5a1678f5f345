// The gradient of a convolution by its input: as many products as there are residues of the strides, each with the taps
// that meet that residue.
#include <cstring>
#include <utility>

#include "runtime/convolution_run.h"

namespace lamina::runtime {

namespace {

struct Range {
  std::int64_t first, end;
  std::int64_t size() const { return std::max<std::int64_t>(0, end - first); }
};
Range meet(Range a, Range b) { return {std::max(a.first, b.first), std::min(a.end, b.end)}; }

// The taps of one residue along an axis: for x at r * stride + residue - padding, y is read at r - shift.
struct Class {
  std::int64_t residue;
  std::vector<std::size_t> taps;
  Range places;  // the r for which x has an element
};
std::vector<Class> classes_of(const WindowAxis& axis, std::int64_t stride, std::int64_t padding, std::int64_t size) {
  std::vector<Class> classes;
  for (std::size_t slot = 0; slot < axis.residues.size(); ++slot) {
    Class one{axis.residues[slot], {}, {}};
    for (std::size_t tap = 0; tap < axis.slot.size(); ++tap)
      if (axis.slot[tap] == static_cast<std::int64_t>(slot)) one.taps.push_back(tap);
    one.places.first = std::max<std::int64_t>(0, ceil_divide(padding - one.residue, stride));
    one.places.end = std::max(one.places.first, ceil_divide(size + padding - one.residue, stride));
    classes.push_back(std::move(one));
  }
  return classes;
}

// That holds the places of all classes.
Range range_of(const std::vector<Class>& classes) {
  Range all = classes.front().places;
  for (const Class& one : classes) {
    if (one.places.size() == 0) continue;
    all =
        all.size() == 0 ? one.places : Range{std::min(all.first, one.places.first), std::max(all.end, one.places.end)};
  }
  return all;
}

// The taps along both axes that meet one residue of each, and the product with them for the rows of a block.
struct ClassProduct {
  std::int64_t rows, width;
  std::int64_t row, column;        // of x, where its first result belongs
  std::int64_t taps, taps_before;  // of the class, and of those before it
  Offsets offsets, starts;

  template <typename T>
  WindowsArgs windows() const {
    return windows_of<T>(offsets, starts, width);
  }
};

// Those that have results in `rows`; the planes begin with these, and with the first of all columns.
std::vector<ClassProduct> products_of(const ConvolutionStep& step, const Planes& planes, const WindowAxis& vertical,
                                      const WindowAxis& horizontal, const std::vector<Class>& upper,
                                      const std::vector<Class>& left, Range rows) {
  const std::int64_t first_column = range_of(left).first;
  std::vector<ClassProduct> products;
  std::int64_t taps_before = 0;
  for (const Class& row_class : upper) {
    for (const Class& column_class : left) {
      const Range r = meet(row_class.places, rows), q = column_class.places;
      ClassProduct product{};
      product.rows = r.size();
      product.width = q.size();
      product.taps = static_cast<std::int64_t>(row_class.taps.size() * column_class.taps.size());
      product.taps_before = std::exchange(taps_before, taps_before + product.taps);
      if (product.rows == 0 || product.width == 0) continue;
      product.row = r.first * step.stride[0] + row_class.residue - step.padding[0];
      product.column = q.first * step.stride[1] + column_class.residue - step.padding[1];
      product.starts = row_starts(planes, r.first - rows.first, product.rows, q.first - first_column);
      for (std::int64_t o = 0; o < planes.channels; ++o)
        for (std::size_t i : row_class.taps)
          for (std::size_t j : column_class.taps)
            product.offsets.push_back(planes.offset(o, 0, 0) +
                                      (vertical.reach - vertical.shift[i]) * planes.horizontal.count +
                                      horizontal.reach - horizontal.shift[j]);
      products.push_back(std::move(product));
    }
  }
  return products;
}

}  // namespace

// weight (out, in, window) as (classes of taps, in, out, taps of the class), a group after the other.
template <typename T>
void ConvolutionRun<T>::rearrange_weight() const {
  const std::vector<Class> rows = classes_of(vertical, step.stride[0], step.padding[0], step.x_size[0]);
  const std::vector<Class> columns = classes_of(horizontal, step.stride[1], step.padding[1], step.x_size[1]);
  // Some channels at once: the weight is read in runs, and written in no more runs than a set of the cache has lines.
  constexpr std::int64_t kChannels = 8;
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
              copy_row(written, from, count);
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
  const Range all_rows = range_of(upper), all_columns = range_of(left);
  if (all_rows.size() == 0 || all_columns.size() == 0) return;
  // All classes of a block read the same planes, and what they write is next to each other.
  const Cut cut(step.images, all_rows.size(), all_columns.size());
  const std::int64_t work_of_channel = out * window * cut.images * cut.rows * all_columns.size();
  const std::int64_t together = groups_in_block(step.groups, in * work_of_channel);
  const std::int64_t group_blocks = ceil_divide(step.groups, together);
  const std::int64_t image_blocks = cut.image_blocks * cut.row_blocks * group_blocks;
  const std::int64_t part = channels_in_block(in, image_blocks, work_of_channel);
  const std::int64_t parts = ceil_divide(in, part);
  for_each_block(image_blocks * parts, [&](std::int64_t number) {
    const std::int64_t first_channel = number % parts * part, channels = std::min(part, in - first_channel);
    const std::int64_t block = number / parts;
    const std::int64_t first_group = block % group_blocks * together;
    const std::int64_t first = all_rows.first + block / group_blocks % cut.row_blocks * cut.rows;
    const std::int64_t image = block / group_blocks / cut.row_blocks * cut.images;
    const Range rows{first, std::min(first + cut.rows, all_rows.end)};
    const std::int64_t images = std::min(cut.images, step.images - image);
    const Planes planes{
        {step.y_size[0], 1, rows.first - vertical.reach, rows.size() + vertical.reach, {0}},
        {step.y_size[1], 1, all_columns.first - horizontal.reach, all_columns.size() + horizontal.reach, {0}},
        out,
        images,
        is_far<T>(step.images * step.out * y_plane)};
    const std::vector<ClassProduct> products = products_of(step, planes, vertical, horizontal, upper, left, rows);
    const bool in_place = direct && images == 1;
    const std::int64_t most = channels * images * rows.size() * all_columns.size();
    std::size_t workspace = 0;
    for (const ClassProduct& product : products)
      workspace = std::max(workspace, kernels::table().windows_workspace[kType<T>](product.windows<T>()));
    const ConvolutionScratch<T> scratch(planes, in_place ? 0 : most, workspace);
    for (std::int64_t group = first_group; group < std::min(first_group + together, step.groups); ++group) {
      fill(planes, scratch.planes, y + (image * step.out + group * out) * y_plane, y_plane, step.out * y_plane);
      for (const ClassProduct& product : products) {
        const std::int64_t columns = product.rows * product.width;
        T* const target = x + (image * step.channels + group * in + first_channel) * x_plane +
                          product.row * step.x_size[1] + product.column;
        WindowsArgs args = product.windows<T>();
        args.planes = scratch.planes;
        args.workspace = scratch.workspace;
        args.m = static_cast<std::size_t>(channels);
        args.a_row = out * product.taps;
        args.c_row = in_place ? x_plane : images * columns;
        args.a = rearranged + group * out * taps + in * out * product.taps_before + first_channel * out * product.taps;
        args.c = in_place ? target : scratch.result;
        kernels::table().windows_by_columns[kType<T>](args);
        if (!in_place) spread(scratch.result, target, channels, images, product.rows, product.width);
      }
    }
  });
}

template void ConvolutionRun<float>::backward_to_input() const;
template void ConvolutionRun<double>::backward_to_input() const;

}  // namespace lamina::runtime
