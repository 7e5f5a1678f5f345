// Convolutions and their gradient by the weight: each block of images and rows, or piece of the weight's taps and rows,
// is planes and products with the matrix of their windows. The gradient by the input is in run_convolution_input.cpp.
#include "runtime/convolution_run.h"

namespace lamina::runtime {

namespace {

// What one piece of the weight's gradient has of its taps and rows, at most.
struct Piece {
  std::int64_t taps, rows;
};

// Few rows, or few taps, do not repay packing: sums are dot products. That must not depend on pieces, for the bits do.
inline constexpr std::int64_t kFewRows = 16, kFewTaps = 16;
bool sums_by_dots(std::int64_t out, std::int64_t taps) { return out <= kFewRows || taps <= kFewTaps; }

// Of dot products along wide rows, four taps at a time: whole channels, none of which becomes planes twice.
inline constexpr std::int64_t kMostTaps = 64, kWideRow = 16, kChannelBlocks = 8, kTapsTogether = 4, kRowsTogether = 6;
Piece whole_channels(std::int64_t out, std::int64_t in, std::int64_t window) {
  std::int64_t channels = ceil_divide(ceil_divide(in, kChannelBlocks), kTapsTogether) * kTapsTogether;
  channels = std::min({in, channels, kMostTaps / window});
  const std::int64_t parts = ceil_divide<std::int64_t>(num_threads(), ceil_divide(in, channels));
  return {channels * window, std::min(out, ceil_divide(ceil_divide(out, parts), kRowsTogether) * kRowsTogether)};
}

// What a piece costs for each column of y, in multiply-adds: its products, packing windows, which is as much as some
// rows are, and making planes of its channels. Half a panel takes a little more than half of its time.
inline constexpr std::int64_t kHalfPanel = kPanel / 2, kPackingRows = 12, kPlanesElement = 10;
std::int64_t cost(Piece piece, std::int64_t window, std::int64_t stride_area) {
  const std::int64_t channels = piece.taps % window == 0 ? piece.taps / window : piece.taps / window + 2;
  const std::int64_t halves = ceil_divide(piece.taps, kHalfPanel);
  return (halves * kHalfPanel + halves % 2) * (piece.rows + kPackingRows) + channels * stride_area * kPlanesElement;
}

// Rows of the tallest tile: pieces of fewer would leave multipliers idle.
inline constexpr std::int64_t kTileHeight = 14;

// The pieces that threads are done with soonest. Fewer than two for each thread leave it waiting for one that others
// disturb: that counts as a twenty-fifth more. No sum depends on them.
Piece cheapest_piece(std::int64_t out, std::int64_t taps, std::int64_t window, std::int64_t stride_area,
                     std::int64_t groups) {
  const std::int64_t threads = num_threads(), most_parts = std::min(ceil_divide(out, kTileHeight), 2 * threads);
  Piece best{};
  std::int64_t least = 0;
  const auto consider = [&](Piece piece) {
    const std::int64_t pieces = ceil_divide(taps, piece.taps) * ceil_divide(out, piece.rows) * groups;
    const std::int64_t in_turn = ceil_divide(pieces, threads) * cost(piece, window, stride_area);
    const std::int64_t weighed = in_turn * (pieces < 2 * threads ? 26 : 25);
    if (best.taps == 0 || weighed <= least) best = piece, least = weighed;
  };
  for (std::int64_t parts = 1; parts <= most_parts; ++parts) {
    const std::int64_t rows = ceil_divide(out, parts);
    for (std::int64_t halves = 1; (halves - 1) * kHalfPanel < std::min(taps, 2 * kMostTaps); ++halves)
      consider({std::min(taps, halves * kHalfPanel), rows});
    for (std::int64_t channels = 1; channels * window <= std::min(taps, 2 * kMostTaps); ++channels)
      consider({channels * window, rows});
  }
  return best;
}

// Columns of as many images at once: a sum along them repays that a vector's lanes are added in the end.
inline constexpr std::int64_t kColumnsTogether = 1024;

}  // namespace

template <typename T>
void ConvolutionRun<T>::forward() const {
  const Cut cut(step.images, step.y_size[0], step.y_size[1]);
  const std::int64_t together = groups_in_block(step.groups, out * taps * cut.images * cut.rows * step.y_size[1]);
  const std::int64_t group_blocks = ceil_divide(step.groups, together);
  const std::int64_t image_blocks = cut.image_blocks * cut.row_blocks * group_blocks;
  const std::int64_t part = channels_in_block(out, image_blocks, taps * cut.images * cut.rows * step.y_size[1]);
  const std::int64_t parts = ceil_divide(out, part);
  for_each_block(image_blocks * parts, [&](std::int64_t number) {
    const std::int64_t first_channel = number % parts * part, channels = std::min(part, out - first_channel);
    const std::int64_t block = number / parts;
    const std::int64_t first_group = block % group_blocks * together;
    const std::int64_t row = block / group_blocks % cut.row_blocks * cut.rows;
    const std::int64_t image = block / group_blocks / cut.row_blocks * cut.images;
    const std::int64_t rows = std::min(cut.rows, step.y_size[0] - row);
    const std::int64_t images = std::min(cut.images, step.images - image);
    const Planes planes = planes_of_x(images, in, row, rows);
    const Offsets offsets = tap_offsets(planes, 0, taps), starts = row_starts(planes, 0, rows, 0);
    WindowsArgs args = windows_of<T>(offsets, starts, step.y_size[1]);
    const std::int64_t columns = rows * step.y_size[1];
    const ConvolutionScratch<T> scratch(planes, images == 1 ? 0 : channels * images * columns,
                                        kernels::table().windows_workspace[kType<T>](args));
    args.planes = scratch.planes;
    args.workspace = scratch.workspace;
    args.m = static_cast<std::size_t>(channels);
    args.a_row = taps;
    args.c_row = images == 1 ? y_plane : images * columns;
    for (std::int64_t group = first_group; group < std::min(first_group + together, step.groups); ++group) {
      fill(planes, scratch.planes, x + (image * step.channels + group * in) * x_plane, x_plane,
           step.channels * x_plane);
      const std::int64_t first_out = group * out + first_channel;
      T* const target = y + (image * step.out + first_out) * y_plane + row * step.y_size[1];
      args.a = weight + first_out * taps;
      args.c = images == 1 ? target : scratch.result;
      kernels::table().windows_by_columns[kType<T>](args);
      if (images == 1) continue;
      for (std::int64_t channel = 0; channel < channels; ++channel)
        for (std::int64_t i = 0; i < images; ++i)
          std::copy_n(scratch.result + (channel * images + i) * columns, columns,
                      target + (i * step.out + channel) * y_plane);
    }
  });
}

template <typename T>
void ConvolutionRun<T>::backward_to_weight() const {
  const std::int64_t together = groups_in_block(step.groups, out * taps * step.images * y_plane);
  const std::int64_t group_blocks = ceil_divide(step.groups, together);
  const bool dots = sums_by_dots(out, taps);
  const Piece piece = dots && step.y_size[1] >= kWideRow && window <= kMostTaps
                          ? whole_channels(out, in, window)
                          : cheapest_piece(out, taps, window, step.stride[0] * step.stride[1], group_blocks);
  const std::int64_t tap_blocks = ceil_divide(taps, piece.taps), row_blocks = ceil_divide(out, piece.rows);
  const std::int64_t together_images = ceil_divide(kColumnsTogether, y_plane);
  for_each_block(tap_blocks * group_blocks * row_blocks, [&](std::int64_t block) {
    const std::int64_t first_row = block % row_blocks * out / row_blocks;
    const std::int64_t end_row = (block % row_blocks + 1) * out / row_blocks;
    const std::int64_t first_group = block / row_blocks % group_blocks * together;
    const std::int64_t first = block / row_blocks / group_blocks * piece.taps;
    const std::int64_t end = std::min(taps, first + piece.taps);
    const std::int64_t channel = first / window;
    // Those from `image` on, `images` at once.
    const auto add_images = [&](std::int64_t image, std::int64_t end_image, std::int64_t images) {
      const Planes planes = planes_of_x(images, (end - 1) / window - channel + 1, 0, step.y_size[0]);
      const Offsets offsets = tap_offsets(planes, first, end), starts = row_starts(planes, 0, step.y_size[0], 0);
      WindowsArgs args = windows_of<T>(offsets, starts, step.y_size[1]);
      const ConvolutionScratch<T> scratch(planes, 0, kernels::table().windows_workspace[kType<T>](args));
      args.planes = scratch.planes;
      args.workspace = scratch.workspace;
      args.m = static_cast<std::size_t>(end_row - first_row);
      args.dots = dots;
      args.a_row = y_plane;
      args.c_row = taps;
      args.images = static_cast<std::size_t>(images);
      args.a_image = step.out * y_plane;
      for (; image < end_image; image += images) {
        args.accumulate = image > 0;
        for (std::int64_t group = first_group; group < std::min(first_group + together, step.groups); ++group) {
          fill(planes, scratch.planes, x + (image * step.channels + group * in + channel) * x_plane, x_plane,
               step.channels * x_plane);
          args.a = y + (image * step.out + group * out + first_row) * y_plane;
          args.c = weight + (group * out + first_row) * taps + first;
          kernels::table().windows_by_taps[kType<T>](args);
        }
      }
    };
    const std::int64_t rest = step.images % together_images;
    if (rest < step.images) add_images(0, step.images - rest, together_images);
    if (rest > 0) add_images(step.images - rest, step.images, rest);
  });
}

namespace {

template <typename T>
void run_typed(const ConvolutionStep& step, Slots slots) {
  const auto pointer = [&](const Location& location) { return reinterpret_cast<T*>(at(slots, location)); };
  const bool empty = step.images == 0 || step.channels == 0 || step.window[0] * step.window[1] == 0 ||
                     step.y_size[0] * step.y_size[1] == 0;
  ConvolutionRun<T> run{step, pointer(step.x), pointer(step.weight), pointer(step.y),
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
