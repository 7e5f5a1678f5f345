// The stride arithmetic of views.
#include "ops/view_layout.h"

namespace lamina {

namespace {

using std::size_t;

// Where only axes of size 1 are dropped, the others stay as they are.
std::optional<DimVector> squeezed_strides(const Shape* from, Dims strides, const Shape* to) {
  DimVector result;
  for (int axis = 0; axis < from->rank(); ++axis) {
    int next = static_cast<int>(result.size()), left = from->rank() - axis;
    if (next < to->rank() && (*from)[axis] == (*to)[next] && left >= to->rank() - next)
      result.push_back(strides[static_cast<size_t>(axis)]);
    else if ((*from)[axis] != 1)
      return std::nullopt;
  }
  if (static_cast<int>(result.size()) != to->rank()) return std::nullopt;
  return result;
}

// Splits and merges axes without touching the elements, if the strides allow it.
std::optional<DimVector> reshape_strides(const Shape* from, Dims strides, const Shape* to) {
  if (auto squeezed = squeezed_strides(from, strides, to)) return squeezed;
  if (from->numel() == 0) return contiguous_strides(to);
  DimVector result(to->dims().size(), 1);
  // Merge the old axes into maximal runs of evenly spaced elements, from the last; fill each with new axes.
  int next = to->rank() - 1;
  for (int axis = from->rank() - 1; axis >= 0;) {
    std::int64_t run = (*from)[axis], step = strides[static_cast<size_t>(axis)], filled = 1;
    while (--axis >= 0 && ((*from)[axis] == 1 || strides[static_cast<size_t>(axis)] == run * step))
      run *= (*from)[axis];
    for (; next >= 0 && (filled < run || (*to)[next] == 1); --next) {
      result[static_cast<size_t>(next)] = filled * step;
      filled *= (*to)[next];
    }
    if (filled != run) return std::nullopt;
  }
  return result;
}

}  // namespace

DimVector contiguous_strides(const Shape* shape) {
  DimVector strides(shape->dims().size());
  std::int64_t step = 1;
  for (size_t axis = strides.size(); axis-- > 0;) {
    strides[axis] = step;
    step *= std::max<std::int64_t>(shape->dims()[axis], 1);
  }
  return strides;
}

DimVector strides_of(const Shape* shape, const Layout& layout) {
  if (!layout.strides) return contiguous_strides(shape);
  Dims strides = layout.strides->values();
  return DimVector(strides.begin(), strides.end());
}

const Attribute* strides_attribute(const Shape* shape, Dims strides) {
  if (shape->numel() == 0) return nullptr;
  std::int64_t step = 1;
  for (size_t axis = strides.size(); axis-- > 0;) {
    std::int64_t size = shape->dims()[axis];
    if (size != 1 && strides[axis] != step) return Attribute::of(strides);
    step *= size;
  }
  return nullptr;
}

std::optional<Places> view_places(Op op, const Attribute* attribute, const Shape* in_shape, const Places& in,
                                  const Shape* out_shape) {
  const DimVector& strides = in.strides;
  Places out{in.offset, DimVector(out_shape->dims().size())};
  DimVector& result = out.strides;
  switch (op) {
    case Op::detach:
    case Op::bitcast:
      return in;
    case Op::reshape: {
      if (in_shape == out_shape) return in;
      auto reshaped = reshape_strides(in_shape, strides, out_shape);
      if (!reshaped) return std::nullopt;
      result = std::move(*reshaped);
      break;
    }
    case Op::permute:
      for (size_t axis = 0; axis < result.size(); ++axis)
        result[axis] = strides[static_cast<size_t>((*attribute)[axis])];
      break;
    case Op::expand: {
      size_t added = result.size() - strides.size();
      for (size_t axis = result.size(); axis-- > 0;) {
        std::int64_t size = out_shape->dims()[axis];
        if (axis >= added)
          result[axis] = in_shape->dims()[axis - added] == size ? strides[axis - added] : 0;
        else if (size == 1 && axis + 1 < result.size())
          result[axis] = out_shape->dims()[axis + 1] * result[axis + 1];
      }
      break;
    }
    case Op::slice:
      for (size_t axis = 0; axis < result.size(); ++axis) {
        out.offset += (*attribute)[axis] * strides[axis];
        result[axis] = (*attribute)[result.size() + axis] * strides[axis];
      }
      break;
    case Op::as_strided:
      out.offset += (*attribute)[0];
      for (size_t axis = 0; axis < result.size(); ++axis) result[axis] = (*attribute)[axis + 1];
      break;
    case Op::view_as_real:
      out.offset *= 2;
      for (size_t axis = 0; axis < strides.size(); ++axis) result[axis] = 2 * strides[axis];
      result.back() = 1;
      break;
    case Op::view_as_complex:  // the two parts must be neighbors, and begin where a number may
      if (in_shape->numel() == 0) {
        result = contiguous_strides(out_shape);
        break;
      }
      if (strides.back() != 1 || out.offset % 2 != 0) return std::nullopt;
      out.offset /= 2;
      for (size_t axis = 0; axis < result.size(); ++axis) {
        if (strides[axis] % 2 != 0 && out_shape->dims()[axis] != 1) return std::nullopt;
        result[axis] = strides[axis] / 2;
      }
      break;
    default:
      return std::nullopt;
  }
  return out;
}

std::optional<Layout> view_layout(Op op, const Attribute* attribute, const Shape* in_shape, const Layout& in,
                                  const Shape* out_shape) {
  if (op == Op::detach || op == Op::bitcast || (op == Op::reshape && !in.strides)) return in;
  if (op == Op::as_strided && in.strides) return std::nullopt;
  auto places = view_places(op, attribute, in_shape, {in.offset, strides_of(in_shape, in)}, out_shape);
  if (!places) return std::nullopt;
  return Layout{places->offset, strides_attribute(out_shape, places->strides)};
}

}  // namespace lamina
