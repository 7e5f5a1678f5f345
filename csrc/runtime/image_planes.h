// Planes: a padded copy of images in which every window lies at one distance from its first element, whatever the
// stride: a plane holds what is `stride` apart, one plane for each residue that a window reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace lamina::runtime {

// One axis of a set of planes. Element r of the plane of residues[i] is the source's element
// (r * step + first + residues[i]), 0 outside.
struct PlaneAxis {
  std::int64_t source;  // elements of the source
  std::int64_t step, first, count;
  std::vector<std::int64_t> residues;
};

// Where along one axis the taps of a window are found in planes.
struct WindowAxis {
  std::vector<std::int64_t> residues;     // those that occur, ascending
  std::vector<std::int64_t> slot, shift;  // of each tap: which residue, and how far from the window's first element
  std::int64_t reach = 0;                 // the largest shift
};
WindowAxis window_axis(std::int64_t taps, std::int64_t stride, std::int64_t dilation);

struct Planes {
  PlaneAxis vertical, horizontal;
  std::int64_t channels, images;  // images lie below each other in a plane
  bool far = false;               // the source comes from behind the second-level caches

  std::int64_t size_of_image() const { return vertical.count * horizontal.count; }
  std::int64_t size_of_plane() const { return images * size_of_image(); }
  // With a vector's width behind the last element, which kernels may read.
  std::size_t elements() const;
  std::int64_t offset(std::int64_t channel, std::int64_t vertical_slot, std::int64_t horizontal_slot) const;
};

// n elements, 16 bytes at a time: rows are too short for a call of memcpy.
template <typename T>
inline void copy_row(T* to, const T* from, std::int64_t n) {
  constexpr std::int64_t kStep = 16 / sizeof(T);
  if (n < kStep) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i];
    return;
  }
  for (std::int64_t i = 0; i + kStep <= n; i += kStep) std::memcpy(to + i, from + i, 16);
  std::memcpy(to + n - kStep, from + n - kStep, 16);  // some elements once more
}

// from: images of `source` sizes, that many elements from channel to channel and from image to image.
template <typename T>
void fill(const Planes& planes, T* to, const T* from, std::int64_t from_channel, std::int64_t from_image);

}  // namespace lamina::runtime
