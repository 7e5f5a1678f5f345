// Test: tests/python/test_fft.py. One op an axis; operands are cut off here, and made longer by the op.
#include "functions/fourier.h"

#include "functions/pointwise.h"

namespace lamina::functions {

namespace {

ValuePtr along(Op op, const ValuePtr& x, std::int64_t points, std::int64_t axis, FourierNorm norm, bool inverse) {
  const std::int64_t half = points / 2 + 1, most = op == Op::fourier_real ? half : points;
  const int rank = x->shape->rank(), place = static_cast<int>(axis);
  // Of long rows each one's points shall lie together: many side by side fit into no cache.
  constexpr std::int64_t kSideBySide = 1 << 12;
  if (points > kSideBySide && place != rank - 1) {
    const ValuePtr turned = along(op, build::swap_axes(x, place, rank - 1), points, rank - 1, norm, inverse);
    return build::clone(build::swap_axes(turned, place, rank - 1));
  }
  const ValuePtr part = (*x->shape)[place] > most ? build::narrow(x, place, 0, most) : x;
  return build::fourier(op, part,
                        Attribute::of({axis - rank, points, op == Op::fourier_half ? half : points,
                                       static_cast<std::int64_t>(norm), inverse ? 1 : 0, 0}));
}

}  // namespace

ValuePtr fourier(Op op, const ValuePtr& x, Dims points, Dims axes, FourierNorm norm, bool inverse) {
  if (axes.empty()) return build::clone(x);
  const std::size_t last = axes.size() - 1;
  ValuePtr result = op == Op::fourier_half ? along(op, x, points[last], axes[last], norm, inverse) : x;
  for (std::size_t i = 0; i < (op == Op::fourier ? axes.size() : last); ++i)
    result = along(Op::fourier, result, points[i], axes[i], norm, inverse);
  if (op == Op::fourier_real) result = along(op, result, points[last], axes[last], norm, inverse);
  return labelled(result, row(op).label);
}

}  // namespace lamina::functions
