// What the three convolutions share: how they are cut into blocks of images and rows, the planes, windows and scratch
// of a block. Where results are cut, which have no sum in common, depends on the number of threads, too.
#pragma once

#include <algorithm>
#include <vector>

#include "runtime/ceil_divide.h"
#include "runtime/image_planes.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

using kernels::WindowsArgs;

// Columns of one block: as many as share a packed panel of the weight well. Small images are joined, large ones cut.
inline constexpr std::int64_t kFewColumns = 64, kManyColumns = 512;
inline constexpr std::int64_t kPanel = 32;  // of the widest panel of windows
// Multiply-adds below which sharing costs more than it saves.
inline constexpr std::int64_t kSharedWork = 150'000;

// Blocks of whole images, or of rows of one image.
struct Cut {
  std::int64_t images, rows;  // of a block
  std::int64_t image_blocks, row_blocks;

  Cut(std::int64_t all_images, std::int64_t all_rows, std::int64_t width) {
    const std::int64_t columns = all_rows * width;
    images = joined(all_images, columns);
    rows = ceil_divide(all_rows, ceil_divide(all_rows, std::max<std::int64_t>(1, kManyColumns / width)));
    image_blocks = ceil_divide(all_images, images);
    row_blocks = ceil_divide(all_rows, rows);
  }

 private:
  // As few images as fill their panels, and the threads, within a twentieth of the best.
  static std::int64_t joined(std::int64_t all, std::int64_t columns) {
    const std::int64_t threads = num_threads(), least = std::min(all, ceil_divide(kFewColumns, columns));
    // In sixteenths, times the threads. Threads share the channels of fewer blocks, and pack windows more than once.
    const auto panels_in_turn = [&](std::int64_t images) {
      const std::int64_t blocks = ceil_divide(all, images), panels = ceil_divide(images * columns, kPanel);
      return panels * (blocks < threads ? blocks * 17 : ceil_divide(blocks, threads) * threads * 16);
    };
    const std::int64_t most = std::max(least, std::min(all, kManyColumns / columns));
    std::int64_t best = panels_in_turn(least);
    for (std::int64_t images = least + 1; images <= most; ++images) best = std::min(best, panels_in_turn(images));
    std::int64_t images = least;
    while (panels_in_turn(images) * 20 > best * 21) ++images;
    return images;
  }
};

// Channels of the result in one block. They are cut where blocks of images and rows leave threads with nothing to do,
// up to four times, for each part packs the windows again. No sum depends on it: kernels go another way for one row and
// for two, which no part has.
inline constexpr std::int64_t kMostParts = 4, kLeastChannels = 6, kLeastWork = 1'000'000;
inline std::int64_t channels_in_block(std::int64_t channels, std::int64_t blocks, std::int64_t work_of_channel) {
  const std::int64_t threads = num_threads();
  const std::int64_t most = std::min({kMostParts, channels / kLeastChannels, channels * work_of_channel / kLeastWork});
  std::int64_t parts = 1;
  const auto idle = [&](std::int64_t jobs) { return ceil_divide(jobs, threads) * threads - jobs; };
  while (parts < most && idle(blocks * parts) * 8 > blocks * parts) ++parts;
  return ceil_divide(channels, parts);
}

// Elements that do not fit the second-level caches, nor stay in the third.
inline constexpr std::int64_t kFarBytes = 4 << 20;
template <typename T>
bool is_far(std::int64_t elements) {
  return elements * static_cast<std::int64_t>(sizeof(T)) >= kFarBytes;
}

// Groups of one block: small ones share the tables of offsets.
inline constexpr std::int64_t kBlockWork = 200'000;
inline std::int64_t groups_in_block(std::int64_t groups, std::int64_t work) {
  return std::clamp<std::int64_t>(kBlockWork / std::max<std::int64_t>(work, 1), 1, groups);
}

// Scratch of a block, one after the other: planes, a result that is not where it shall end up, the kernel's workspace.
template <typename T>
struct ConvolutionScratch {
  T *planes, *result;
  void* workspace;

  ConvolutionScratch(const Planes& layout, std::int64_t result_elements, std::size_t workspace_bytes) {
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

// The starts of `rows` rows of each image of a block, from row `first` and its column `column` on.
inline Offsets row_starts(const Planes& planes, std::int64_t first, std::int64_t rows, std::int64_t column) {
  Offsets starts;
  for (std::int64_t image = 0; image < planes.images; ++image)
    for (std::int64_t row = first; row < first + rows; ++row)
      starts.push_back((image * planes.vertical.count + row) * planes.horizontal.count + column);
  return starts;
}

template <typename T>
struct ConvolutionRun {
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
            images,
            is_far<T>(step.images * step.channels * x_plane)};
  }

  // Where in the planes the taps from `first` to `end` (numbered through channels) are.
  Offsets tap_offsets(const Planes& planes, std::int64_t first, std::int64_t end) const {
    Offsets of_window;
    for (std::size_t i = 0; i < vertical.slot.size(); ++i)
      for (std::size_t j = 0; j < horizontal.slot.size(); ++j)
        of_window.push_back(planes.offset(0, vertical.slot[i], horizontal.slot[j]) +
                            vertical.shift[i] * planes.horizontal.count + horizontal.shift[j]);
    Offsets offsets(static_cast<std::size_t>(end - first));
    std::size_t tap = static_cast<std::size_t>(first % window);
    std::ptrdiff_t channel = 0;
    for (std::ptrdiff_t& offset : offsets) {
      offset = channel + of_window[tap];
      if (++tap < of_window.size()) continue;
      tap = 0;
      channel += planes.offset(1, 0, 0);
    }
    return offsets;
  }

  void forward() const;
  void backward_to_input() const;
  void backward_to_weight() const;
  void rearrange_weight() const;
  // A result for some channels of x, to where its rows and columns lie.
  void spread(const T* from, T* target, std::int64_t channels, std::int64_t images, std::int64_t rows,
              std::int64_t width) const {
    for (std::int64_t channel = 0; channel < channels; ++channel)
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

}  // namespace lamina::runtime
