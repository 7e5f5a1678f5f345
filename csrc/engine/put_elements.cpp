// Writing back what a view of any strides shows, element by element.
#include "engine/put_elements.h"

#include <algorithm>

#include "engine/view_path.h"
#include "ops/build.h"
#include "runtime/buffer.h"

namespace lamina::engine {

namespace {

// Elements cut into parts of `size` bytes each, along an axis more where that halves them.
ValuePtr cut(ValuePtr numbers, std::size_t size) {
  while (size_of(numbers->dtype) > size) {
    const DType pair = complex_of_size(size_of(numbers->dtype));
    numbers = build::view_as_real(numbers->dtype == pair ? numbers : build::bitcast(numbers, pair));
  }
  return numbers;
}

// Parts put together to elements of this type again.
ValuePtr joined(ValuePtr parts, DType dtype) {
  while (size_of(parts->dtype) < size_of(dtype)) {
    const DType part = part_type(complex_of_size(2 * size_of(parts->dtype)));
    parts = build::view_as_complex(parts->dtype == part ? parts : build::bitcast(parts, part));
  }
  return parts->dtype == dtype ? parts : build::bitcast(parts, dtype);
}

// The places of both parts, `apart` from one another, of what is at these places.
ValuePtr part_places(const ValuePtr& places, std::size_t apart) {
  DimVector dims(places->shape->dims().begin(), places->shape->dims().end());
  dims.push_back(1);
  const Shape* line = Shape::of(dims);
  const ValuePtr parts[] = {
      build::reshape(places, line),
      build::reshape(build::add(places, build::number(static_cast<double>(apart), DType::kInt64)), line)};
  return build::cat(parts, places->shape->rank());
}

}  // namespace

ValuePtr put_elements(const std::vector<const ViewPath*>& steps, const ValuePtr& base, const ValuePtr& fresh) {
  std::size_t size = size_of(base->dtype), part = size;  // the smallest that a step cuts the base into
  for (const ViewPath* step : steps) {
    if (step->spec.op == Op::view_as_real) part = std::min(part, size /= 2);
    if (step->spec.op == Op::view_as_complex) size *= 2;
  }
  std::int64_t numel = base->shape->numel();
  StoragePtr storage = runtime::allocate(static_cast<std::size_t>(numel) * sizeof(std::int64_t));
  auto* first = static_cast<std::int64_t*>(storage->data);
  size = size_of(base->dtype) / part;
  for (std::int64_t i = 0; i < numel; ++i) first[i] = i * static_cast<std::int64_t>(size);
  ValuePtr places = make_leaf(std::move(storage), base->shape, DType::kInt64);
  for (const ViewPath* step : steps) {
    if (step->spec.op == Op::view_as_real) {
      places = part_places(places, size /= 2);
    } else if (step->spec.op == Op::view_as_complex) {
      size *= 2;
      const std::size_t last = places->shape->dims().size() - 1;
      places = build::reshape(build::narrow(places, static_cast<int>(last), 0, 1),
                              Shape::of(places->shape->dims().first(last)));
    } else if (step->spec.op != Op::detach && step->spec.op != Op::bitcast) {
      places = apply(step->spec, places);
    }
  }
  for (; size > 1; size /= 2) places = part_places(places, size / 2);
  ValuePtr parts = cut(base, part), numbers = cut(fresh, part);
  if (numbers->dtype != parts->dtype) numbers = build::bitcast(numbers, parts->dtype);
  const Shape* line = Shape::of({numbers->shape->numel()});
  ValuePtr written = build::scatter(build::reshape(parts, Shape::of({parts->shape->numel()})), 0,
                                    build::reshape(places, line), build::reshape(numbers, line));
  return joined(build::reshape(written, parts->shape), base->dtype);
}

}  // namespace lamina::engine
