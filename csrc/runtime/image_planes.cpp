// Makes planes of images.
#include "runtime/image_planes.h"

#include <algorithm>
#include <cstring>

#include "kernels/table.h"
#include "runtime/ceil_divide.h"

namespace lamina::runtime {

WindowAxis window_axis(std::int64_t taps, std::int64_t stride, std::int64_t dilation) {
  WindowAxis axis;
  for (std::int64_t tap = 0; tap < taps; ++tap) axis.residues.push_back(tap * dilation % stride);
  std::sort(axis.residues.begin(), axis.residues.end());
  axis.residues.erase(std::unique(axis.residues.begin(), axis.residues.end()), axis.residues.end());
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const auto found = std::lower_bound(axis.residues.begin(), axis.residues.end(), tap * dilation % stride);
    axis.slot.push_back(found - axis.residues.begin());
    axis.shift.push_back(tap * dilation / stride);
  }
  axis.reach = (taps - 1) * dilation / stride;
  return axis;
}

std::size_t Planes::elements() const {
  constexpr std::size_t kVector = 64;
  const std::size_t planes = vertical.residues.size() * horizontal.residues.size();
  return static_cast<std::size_t>(channels * size_of_plane()) * planes + kVector;
}

std::int64_t Planes::offset(std::int64_t channel, std::int64_t vertical_slot, std::int64_t horizontal_slot) const {
  const auto rows = static_cast<std::int64_t>(vertical.residues.size());
  const auto columns = static_cast<std::int64_t>(horizontal.residues.size());
  return ((channel * rows + vertical_slot) * columns + horizontal_slot) * size_of_plane();
}

namespace {

// Where a row of a plane meets the source: zeros up to begin, and from end on.
struct Meeting {
  std::int64_t begin, end, source;  // source: of element `begin`
};
Meeting meeting(const PlaneAxis& axis, std::int64_t residue) {
  const std::int64_t first = axis.first + residue;
  const std::int64_t begin = std::clamp<std::int64_t>(ceil_divide(-first, axis.step), 0, axis.count);
  const std::int64_t end = std::clamp(ceil_divide(axis.source - first, axis.step), begin, axis.count);
  return {begin, end, first + begin * axis.step};
}

}  // namespace

template <typename T>
void fill(const Planes& planes, T* to, const T* from, std::int64_t from_channel, std::int64_t from_image) {
  const kernels::StridedFn load_strided = kernels::table().load_strided[sizeof(T)];
  constexpr std::int64_t kLine = 64 / sizeof(T);
  const PlaneAxis &vertical = planes.vertical, &horizontal = planes.horizontal;
  for (std::int64_t channel = 0; channel < planes.channels; ++channel) {
    for (std::int64_t upper : vertical.residues) {
      const Meeting rows = meeting(vertical, upper);
      for (std::int64_t left : horizontal.residues) {
        const Meeting columns = meeting(horizontal, left);
        const std::int64_t count = columns.end - columns.begin, width = horizontal.count;
        for (std::int64_t image = 0; image < planes.images; ++image, to += planes.size_of_image()) {
          const T* source = from + channel * from_channel + image * from_image + columns.source;
          std::fill(to, to + rows.begin * width, T(0));
          std::fill(to + rows.end * width, to + vertical.count * width, T(0));
          for (std::int64_t row = rows.begin; row < rows.end; ++row) {
            const T* read = source + (rows.source + (row - rows.begin) * vertical.step) * horizontal.source;
            T* const written = to + row * width;
            for (std::int64_t i = 0; i < columns.begin; ++i) written[i] = T(0);
            T* const inside = written + columns.begin;
            if (horizontal.step == 1) {
              // The next channel's row, which no prefetcher sees coming.
              for (std::int64_t i = 0; planes.far && i < count; i += kLine) __builtin_prefetch(read + from_channel + i);
              copy_row(inside, read, count);
            } else {
              load_strided(inside, read, static_cast<std::size_t>(count), horizontal.step);
            }
            for (std::int64_t i = columns.end; i < width; ++i) written[i] = T(0);
          }
        }
      }
    }
  }
}

template void fill(const Planes&, float*, const float*, std::int64_t, std::int64_t);
template void fill(const Planes&, double*, const double*, std::int64_t, std::int64_t);

}  // namespace lamina::runtime
