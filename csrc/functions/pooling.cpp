// Pooling over lines and planes, checked. Tests: tests/python/test_nn_windows.py, test_nn_window_errors.py.
#include "functions/pooling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "functions/pointwise.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::functions {

namespace {

constexpr std::int64_t kLargestInt = std::numeric_limits<int>::max();  // PyTorch's, but for the largest along one axis

std::string listed(Dims numbers) { return to_string(numbers, '[', ']'); }

template <typename Condition>
bool any_of(Dims numbers, Condition condition) {
  return std::any_of(numbers.begin(), numbers.end(), condition);
}

// From a window's first element to its last.
std::int64_t reach(std::int64_t kernel, std::int64_t dilation) {
  std::int64_t result = 0;
  const bool overflows = __builtin_mul_overflow(kernel - 1, dilation, &result);
  return overflows ? std::numeric_limits<std::int64_t>::max() / 4 : result;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

const Shape* planes_of(const char* name, const ValuePtr& x, Dims size) {
  const Shape& in = *x->shape;
  check(in.rank() >= 2 && size.size() == 2, name, ": expected planes (…, height, width)");
  DimVector dims(in.dims().begin(), in.dims().end() - 2);
  dims.insert(dims.end(), size.begin(), size.end());
  return Shape::of(dims);
}

std::string name_of_pool(const char* kind, const PoolOptions& options) {
  return text(kind, "_pool", options.kernel.size(), "d");
}

// A line as an image of height 1, and back.
ValuePtr as_image(const ValuePtr& x) {
  DimVector dims(x->shape->dims().begin(), x->shape->dims().end());
  dims.push_back(dims.back());
  dims[dims.size() - 2] = 1;
  return build::reshape(x, Shape::of(dims));
}
ValuePtr as_line(const ValuePtr& x) {
  DimVector dims(x->shape->dims().begin(), x->shape->dims().end());
  dims[dims.size() - 2] = dims.back();
  return build::reshape(x, Shape::of(Dims(dims).first(dims.size() - 1)));
}

}  // namespace

void check_pool(const std::string& name, const PoolOptions& options) {
  const auto none = [](const Dims& numbers, auto refused) { return !any_of(numbers, refused); };
  const auto too_large = [](std::int64_t number) { return number > kLargestInt; };
  const auto not_positive = [](std::int64_t number) { return number <= 0; };
  if (name != "max_pool1d")
    for (const DimVector* numbers : {&options.kernel, &options.strides, &options.paddings, &options.dilations})
      check(none(*numbers, too_large), "value cannot be converted to type int without overflow");
  if (!none(options.kernel, not_positive))
    fail(ErrorKind::kRuntime, name, "() kernel_size must be greater than zero, but got ", listed(options.kernel));
  if (!none(options.strides, not_positive))
    fail(ErrorKind::kRuntime, name, "() stride must be greater than zero, but got ", listed(options.strides),
         ": stride should not be zero");
  if (!none(options.dilations, not_positive))
    fail(ErrorKind::kRuntime, name, "() dilation should be greater than zero, but got ", listed(options.dilations));
  if (!none(options.paddings, [](std::int64_t number) { return number < 0; }))
    fail(ErrorKind::kRuntime, name, "() padding must be non-negative, but got ", listed(options.paddings));
  for (std::size_t axis = 0; axis < options.kernel.size(); ++axis) {
    const std::int64_t padding = options.paddings[axis], kernel = options.kernel[axis],
                       dilation = options.dilations[axis];
    check(padding <= (reach(kernel, dilation) + 1) / 2, name,
          "() padding should be at most half of kernel size: pad should be at most half of effective kernel size, but "
          "got pad=",
          padding, ", kernel_size=", kernel, " and dilation=", dilation);
  }
}

PoolWindows pool_windows(const std::string& name, const ValuePtr& x, const PoolOptions& options, bool ceil_mode) {
  check_pool(name, options);
  const Dims dims = x->shape->dims();
  const std::size_t axes = options.kernel.size();
  const bool fits = dims.size() == axes + 1 || dims.size() == axes + 2;
  if (!fits || any_of(dims.last(axes + 1), [](std::int64_t length) { return length == 0; }))
    fail(ErrorKind::kRuntime, name, ": Expected ", axes + 1, "D or ", axes + 2,
         "D (batch mode) tensor with optional 0 dim batch size for input, but got:", listed(dims));
  PoolWindows windows{{}, options, DimVector(dims.end() - static_cast<std::ptrdiff_t>(axes), dims.end())};
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t length = windows.lengths[axis], stride = options.strides[axis], padding = options.paddings[axis];
    const std::int64_t room = length + 2 * padding - reach(options.kernel[axis], options.dilations[axis]) - 1;
    std::int64_t size = (ceil_mode ? -floor_divide(-room, stride) : floor_divide(room, stride)) + 1;
    // The last window must begin inside, or in the padding before.
    if (ceil_mode && (size - 1) * stride >= length + padding) --size;
    windows.size.push_back(size);
  }
  if (any_of(windows.size, [](std::int64_t size) { return size < 1; }))
    fail(ErrorKind::kRuntime, name, "() Invalid computed output size: Given input size: ", listed(dims),
         ". Calculated output size: ", listed(windows.size), ". Output size is too small");
  // One window has no neighbor to keep a distance from, for which there would have to be room.
  for (std::size_t axis = 0; axis < axes; ++axis)
    if (windows.size[axis] == 1) windows.of.strides[axis] = std::min(options.strides[axis], options.kernel[axis]);
  if (axes == 1) {
    const auto put_first = [](DimVector& numbers, std::int64_t number) { numbers = DimVector{number, numbers[0]}; };
    for (DimVector* numbers :
         {&windows.size, &windows.lengths, &windows.of.kernel, &windows.of.strides, &windows.of.dilations})
      put_first(*numbers, 1);
    put_first(windows.of.paddings, 0);
  }
  return windows;
}

bool PoolWindows::may_be_empty() const {
  for (std::size_t axis = 0; axis < size.size(); ++axis) {
    const std::int64_t padding = of.paddings[axis], dilation = of.dilations[axis];
    if (padding == 0 || dilation == 1) continue;
    for (std::int64_t n = 0; n < size[axis]; ++n) {
      const std::int64_t start = n * of.strides[axis] - padding;
      const std::int64_t first = start < 0 ? (start % dilation + dilation) % dilation : start;
      if (first >= lengths[axis] || first > start + reach(of.kernel[axis], dilation)) return true;
    }
  }
  return false;
}

bool PoolWindows::are_whole(bool count_padding) const {
  for (std::size_t axis = 0; axis < size.size(); ++axis) {
    const std::int64_t padding = of.paddings[axis];
    if (padding != 0 && !count_padding) return false;
    const std::int64_t end = (size[axis] - 1) * of.strides[axis] + of.kernel[axis] - padding;
    if (end > lengths[axis] + padding) return false;
  }
  return true;
}

bool PoolWindows::are_few_slices() const {
  constexpr std::int64_t kMostSlices = 4;
  const auto one = [](std::int64_t number) { return number == 1; };
  std::int64_t elements = 1;
  for (std::int64_t length : of.kernel) elements *= std::min(length, kMostSlices + 1);
  return elements > 1 && elements <= kMostSlices && std::ranges::all_of(of.dilations, one) && are_whole(false);
}

const Attribute* pool_attribute(std::initializer_list<Dims> pairs) {
  DimVector numbers;
  for (Dims pair : pairs) {
    check(pair.size() == 2, "pooling: expected pairs of numbers");
    numbers.insert(numbers.end(), pair.begin(), pair.end());
  }
  if (pairs.size() == 4) numbers.push_back(1);  // groups, which pooling has none of
  return Attribute::of(numbers);
}

ValuePtr max_pool_positions(const ValuePtr& x, Dims size, const Attribute* windows) {
  check(!is_complex(x->dtype), "max_pool: not implemented for '", scalar_name(x->dtype), "'");
  return build::max_pool_positions(build::detach(x), planes_of("max_pool", x, size), windows);
}

ValuePtr window_sums(const ValuePtr& x, Dims size, const Attribute* windows) {
  check(is_floating(x->dtype), "avg_pool: not implemented for '", scalar_name(x->dtype), "'");
  return build::window_sums(x, planes_of("avg_pool", x, size), windows);
}

namespace {

// What lies at these positions: within bounds by what they are, so nothing has to be looked at.
ValuePtr picked(const ValuePtr& x, const ValuePtr& positions) {
  const auto planes = [](const Shape* shape) {
    DimVector dims(shape->dims().begin(), shape->dims().end() - 1);
    dims.back() *= (*shape)[shape->rank() - 1];
    return Shape::of(dims);
  };
  const int last = x->shape->rank() - 2;
  const ValuePtr values =
      build::gather(build::reshape(x, planes(x->shape)), last, build::reshape(positions, planes(positions->shape)));
  return labelled(build::reshape(values, positions->shape), "MaxPool2DWithIndices");
}

Pooled pooled(const ValuePtr& x, const PoolWindows& windows, Dims paddings) {
  const PoolOptions& of = windows.of;
  const ValuePtr positions =
      max_pool_positions(x, windows.size, pool_attribute({of.kernel, of.strides, paddings, of.dilations}));
  return {picked(x, positions), positions};
}

// Each element of the windows is a slice of x; an elementwise pass compares these.
ValuePtr largest_of_slices(const ValuePtr& x, const PoolWindows& windows) {
  const std::size_t rank = x->shape->dims().size();
  DimVector dims(x->shape->dims().begin(), x->shape->dims().end()), starts(rank, 0), steps(rank, 1);
  for (std::size_t i = 0; i < 2; ++i) {
    dims[rank - 2 + i] = windows.size[i];
    steps[rank - 2 + i] = windows.of.strides[i];
  }
  const Shape* const shape = Shape::of(dims);
  ValuePtr largest;
  for (std::int64_t row = 0; row < windows.of.kernel[0]; ++row) {
    for (std::int64_t column = 0; column < windows.of.kernel[1]; ++column) {
      starts[rank - 2] = row;
      starts[rank - 1] = column;
      const ValuePtr slice = build::slice(x, shape, starts, steps);
      largest = largest ? build::binary(Op::maximum, largest, slice) : slice;
    }
  }
  return largest;
}

double least_of(DType dtype) {
  if (is_floating(dtype)) return -std::numeric_limits<double>::infinity();
  const bool has_sign = dtype != DType::kBool && dtype != DType::kUInt8;
  return has_sign ? -std::ldexp(1.0, static_cast<int>(8 * size_of(dtype)) - 1) : 0;
}

// With borders of what is less than everything.
ValuePtr with_borders(const ValuePtr& x, Dims widths) {
  const Dims dims = x->shape->dims();
  DimVector padded(dims.begin(), dims.end()), starts(2 * dims.size(), 0);
  std::fill(starts.begin() + static_cast<std::ptrdiff_t>(dims.size()), starts.end(), 1);
  for (std::size_t axis = dims.size() - 2, i = 0; i < 2; ++axis, ++i) {
    padded[axis] += 2 * widths[i];
    starts[axis] = widths[i];
  }
  const ValuePtr borders = build::full(Shape::of(padded), least_of(x->dtype), x->dtype, x->device());
  return labelled(build::slice_update(borders, x, Attribute::of(starts)), "ConstantPadNd");
}

}  // namespace

Pooled max_pool_planes(const ValuePtr& x, const PoolWindows& windows) {
  const DimVector& paddings = windows.of.paddings;
  if (!windows.may_be_empty()) return pooled(x, windows, paddings);
  const ValuePtr padded = with_borders(x, paddings);
  const Pooled found = pooled(padded, windows, DimVector{0, 0});
  const auto whole = [](std::int64_t number) { return Operand::of(number); };
  const std::int64_t across = (*padded->shape)[padded->shape->rank() - 1];
  const auto inside = [&](Op op, int axis) {
    const auto i = static_cast<std::size_t>(axis);
    const ValuePtr place = binary(Op::sub, binary(op, found.positions, whole(across)), whole(paddings[i]));
    return clamp(place, whole(0), whole(windows.lengths[i] - 1));
  };
  const ValuePtr rows = inside(Op::floor_divide, 0), columns = inside(Op::remainder, 1);
  return {found.values, binary(Op::add, binary(Op::mul, rows, whole(windows.lengths[1])), columns)};
}

namespace {

Pooled max_pool_of(const ValuePtr& x, const PoolWindows& windows, bool line) {
  if (!line) return max_pool_planes(x, windows);
  const Pooled found = max_pool_planes(as_image(x), windows);
  return {labelled(as_line(found.values), "Squeeze@1"), as_line(found.positions)};
}

PoolWindows max_pool_windows(const ValuePtr& x, const PoolOptions& options, bool ceil_mode) {
  return pool_windows(name_of_pool("max", options), x, options, ceil_mode);
}

}  // namespace

Pooled max_pool(const ValuePtr& x, const PoolOptions& options, bool ceil_mode) {
  return max_pool_of(x, max_pool_windows(x, options, ceil_mode), options.kernel.size() == 1);
}

ValuePtr largest_of_windows(const ValuePtr& x, const PoolOptions& options, bool ceil_mode) {
  const PoolWindows windows = max_pool_windows(x, options, ceil_mode);
  // Maxima would share a gradient, or a tangent, among equal elements.
  const bool followed = (grad_enabled() && x->requires_grad()) || x->has(kDual), line = options.kernel.size() == 1;
  if (followed || !is_floating(x->dtype) || !windows.are_few_slices()) return max_pool_of(x, windows, line).values;
  return line ? as_line(largest_of_slices(as_image(x), windows)) : largest_of_slices(x, windows);
}

ValuePtr plain_avg_pool(const ValuePtr& x, const PoolOptions& options, bool ceil_mode, bool count_padding,
                        const std::optional<Operand>& divisor) {
  check(!divisor || !divisor->is_number() || divisor->as_double() != 0, "divisor must be not zero");
  const PoolWindows windows = pool_windows(name_of_pool("avg", options), x, options, ceil_mode);
  if (!is_floating(x->dtype) || !(divisor || windows.are_whole(count_padding))) return nullptr;
  const PoolOptions& of = windows.of;
  const bool line = options.kernel.size() == 1;
  ValuePtr result =
      window_sums(line ? as_image(x) : x, windows.size, pool_attribute({of.kernel, of.strides, of.paddings}));
  if (line) result = as_line(result);
  std::int64_t count = 1;
  for (std::int64_t length : of.kernel) count *= length;
  return labelled(binary(Op::div, result, divisor ? *divisor : Operand::of(count)), line ? "AvgPool1D" : "AvgPool2D");
}

}  // namespace lamina::functions
