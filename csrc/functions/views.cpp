// Public view functions, joins and flips.
#include "functions/views.h"

#include <algorithm>

#include "functions/operand.h"
#include "functions/pointwise.h"
#include "ops/build.h"
#include "ops/memory_order.h"
#include "ops/view_layout.h"
#include "support/check.h"

namespace lamina::functions {

const Shape* infer_shape(Dims sizes, std::int64_t numel) {
  DimVector dims(sizes.begin(), sizes.end());
  std::int64_t known = 1, unknown = -1;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] == -1) {
      check(unknown < 0, "only one dimension can be inferred");
      unknown = static_cast<std::int64_t>(axis);
    } else {
      check(dims[axis] >= 0, "invalid shape dimension ", dims[axis]);
      known *= dims[axis];
    }
  }
  auto fits = [&] { return unknown < 0 ? known == numel : known != 0 ? numel % known == 0 : false; };
  if (unknown >= 0 && known == 0 && numel == 0)
    fail(ErrorKind::kRuntime, "cannot reshape tensor of 0 elements into shape ", to_string(sizes, '[', ']'),
         " because the unspecified dimension size -1 can be any value and is ambiguous");
  check(fits(), "shape '", to_string(sizes, '[', ']'), "' is invalid for input of size ", numel);
  if (unknown >= 0) dims[static_cast<std::size_t>(unknown)] = numel / known;
  return Shape::of(dims);
}

Views reshape_views(const Shape* shape, Dims sizes) {
  return {{Op::reshape, infer_shape(sizes, shape->numel()), nullptr}};
}

Views flatten_views(const Shape* shape, std::int64_t start, std::int64_t end) {
  int rank = shape->rank(), first = wrap_axis(start, rank), last = wrap_axis(end, rank);
  check(first <= last, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (rank == 0) return {{Op::reshape, Shape::of({1}), nullptr}};
  DimVector dims;
  std::int64_t merged = 1;
  for (int axis = 0; axis < rank; ++axis) {
    if (axis < first || axis > last) {
      dims.push_back((*shape)[axis]);
      continue;
    }
    merged *= (*shape)[axis];
    if (axis == last) dims.push_back(merged);
  }
  return {{Op::reshape, Shape::of(dims), nullptr}};
}

Views squeeze_views(const Shape* shape, const std::optional<DimVector>& axes) {
  DimVector chosen = wrap_or_all(axes, shape->rank()), dims;
  if (axes && axes->empty()) chosen.clear();
  for (int axis = 0; axis < shape->rank(); ++axis) {
    bool squeezed = (*shape)[axis] == 1 && std::find(chosen.begin(), chosen.end(), axis) != chosen.end();
    if (!squeezed) dims.push_back((*shape)[axis]);
  }
  return {{Op::reshape, Shape::of(dims), nullptr}};
}

Views unsqueeze_views(const Shape* shape, std::int64_t axis) {
  DimVector dims(shape->dims().begin(), shape->dims().end());
  dims.insert(dims.begin() + wrap_axis(axis, shape->rank() + 1), 1);
  return {{Op::reshape, Shape::of(dims), nullptr}};
}

Views permute_views(const Shape* shape, Dims axes) {
  check(
      static_cast<int>(axes.size()) == shape->rank(),
      "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering "
      "of dimensions i.e. input.dim() = ",
      shape->rank(), " is not equal to len(dims) = ", axes.size());
  DimVector order, dims;
  for (std::int64_t axis : axes) {
    int wrapped = wrap_axis(axis, shape->rank());
    check(std::find(order.begin(), order.end(), wrapped) == order.end(), "permute(): duplicate dims are not allowed.");
    order.push_back(wrapped);
    dims.push_back((*shape)[wrapped]);
  }
  return {{Op::permute, Shape::of(dims), Attribute::of(order)}};
}

Views transpose_views(const Shape* shape, std::int64_t first, std::int64_t second) {
  int rank = shape->rank();
  auto a = static_cast<std::size_t>(wrap_axis(first, rank)), b = static_cast<std::size_t>(wrap_axis(second, rank));
  DimVector order = build::all_axes(shape);
  if (rank > 0) std::swap(order[a], order[b]);
  return permute_views(shape, order);
}

Views expand_views(const Shape* shape, Dims sizes) {
  auto added = static_cast<std::int64_t>(sizes.size()) - shape->rank();
  check(added >= 0, "expand(", to_string(shape->dims(), '[', ']'), ", size=", to_string(sizes, '[', ']'),
        "): the number of sizes provided (", sizes.size(),
        ") must be greater or equal to the number of dimensions in the "
        "tensor (",
        shape->rank(), ")");
  DimVector dims(sizes.begin(), sizes.end());
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    std::int64_t own = static_cast<std::int64_t>(axis) - added;
    std::int64_t size = own < 0 ? 1 : (*shape)[static_cast<int>(own)];
    if (dims[axis] == -1) {
      check(own >= 0, "expand(", to_string(shape->dims(), '[', ']'), ", size=", to_string(sizes, '[', ']'),
            "): the expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ", axis);
      dims[axis] = size;
    }
    check(size == dims[axis] || (size == 1 && dims[axis] >= 0), "The expanded size of the tensor (", dims[axis],
          ") must match the existing size (", size, ") at non-singleton dimension ", axis,
          ".  Target sizes: ", to_string(sizes, '[', ']'), ".  Tensor sizes: ", to_string(shape->dims(), '[', ']'));
  }
  return {{Op::expand, Shape::of(dims), nullptr}};
}

Views narrow_views(const Shape* shape, std::int64_t axis, std::int64_t start, std::int64_t length, std::int64_t step) {
  check(shape->rank() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  auto rank = static_cast<std::size_t>(shape->rank());
  auto wrapped = static_cast<std::size_t>(wrap_axis(axis, shape->rank()));
  DimVector both(2 * rank, 0), dims(shape->dims().begin(), shape->dims().end());
  std::fill(both.begin() + shape->rank(), both.end(), 1);
  both[wrapped] = start;
  both[rank + wrapped] = step;
  dims[wrapped] = length;
  return {{Op::slice, Shape::of(dims), Attribute::of(both)}};
}

Views select_views(const Shape* shape, std::int64_t axis, std::int64_t index, int named) {
  if (shape->rank() == 0) fail(ErrorKind::kIndex, "select() cannot be applied to a 0-dim tensor.");
  int wrapped = wrap_axis(axis, shape->rank());
  std::int64_t size = (*shape)[wrapped];
  if (index < -size || index >= size)
    fail(ErrorKind::kIndex, "index ", index, " is out of bounds for dimension ", named < 0 ? wrapped : named,
         " with size ", size);
  Views views = narrow_views(shape, wrapped, index < 0 ? index + size : index, 1);
  DimVector dims(shape->dims().begin(), shape->dims().end());
  dims.erase(dims.begin() + wrapped);
  views.push_back({Op::reshape, Shape::of(dims), nullptr});
  return views;
}

Views parts_views(const Shape* shape, bool from_complex) {
  DimVector dims(shape->dims().begin(), shape->dims().end());
  check(!dims.empty(), "self.dim() cannot be 0 to view a tensor as a type of another element size");
  DimVector pairs = dims;
  if (from_complex) {
    pairs.push_back(2);
    dims.back() *= 2;
    return {{Op::view_as_real, Shape::of(pairs)}, {Op::reshape, Shape::of(dims)}};
  }
  check(dims.back() % 2 == 0, "self.size(-1) must be divisible by 2 to view floats as complex numbers, but got ",
        dims.back());
  pairs.back() /= 2;
  pairs.push_back(2);
  return {{Op::reshape, Shape::of(pairs)}, {Op::view_as_complex, Shape::of(Dims(pairs).first(pairs.size() - 1))}};
}

ValuePtr apply(ValuePtr x, const Views& views) {
  for (const auto& view : views) x = record(view.op, {x.get()}, view.shape, x->dtype, view.attribute);
  return x;
}

ValuePtr cat(std::vector<ValuePtr> parts, std::int64_t axis) {
  if (parts.empty()) fail(ErrorKind::kValue, "torch.cat(): expected a non-empty list of Tensors");
  std::vector<Operand> operands(parts.begin(), parts.end());
  DType dtype = result_type(operands);
  // PyTorch lets 1-d tensors of size 0 pass with anything: they become empty parts of the right shape.
  const Shape* nothing = Shape::of({0});
  const Shape* first = nothing;
  for (std::size_t i = parts.size(); i-- > 0;) {
    check(parts[i]->shape->rank() > 0, "zero-dimensional tensor (at position ", i, ") cannot be concatenated");
    if (parts[i]->shape != nothing) first = parts[i]->shape;
  }
  if (first == nothing) axis = 0;  // so does an axis that only the others would have
  int wrapped = wrap_axis(axis, first->rank());
  DimVector dims(first->dims().begin(), first->dims().end());
  dims[static_cast<std::size_t>(wrapped)] = 0;
  std::vector<ValuePtr> joined;
  for (const ValuePtr& part : parts) {
    ValuePtr fitting = part->shape == nothing ? build::reshape(part, Shape::of(dims)) : part;
    joined.push_back(build::cast(fitting, dtype));
  }
  for (const ValuePtr& part : joined) {
    check(part->shape->rank() == first->rank(), "Tensors must have same number of dimensions: got ", first->rank(),
          " and ", part->shape->rank());
    for (int other = 0; other < first->rank(); ++other)
      check(other == wrapped || (*part->shape)[other] == (*first)[other],
            "Sizes of tensors must match except in dimension ", wrapped, ". Expected size ", (*first)[other],
            " but got size ", (*part->shape)[other], " for tensor number ", &part - joined.data(), " in the list.");
  }
  return build::cat(joined, wrapped);
}

namespace {

// Tensors of one shape in channels last come to lie as if they were joined along the axis that the new one stands
// before; all others contiguous.
DimVector stacked_strides(std::span<const ValuePtr> parts, int axis, const Shape* result) {
  const Shape* shape = parts[0]->shape;
  MemoryFormat format = suggested_format(shape, shown_strides(parts[0].get()));
  bool alike = axis < shape->rank() && format != MemoryFormat::kContiguous;
  for (const ValuePtr& part : parts) alike &= suggested_format(shape, shown_strides(part.get())) == format;
  if (!alike) return contiguous_strides(result);
  DimVector dims(shape->dims().begin(), shape->dims().end());
  std::int64_t size = dims[static_cast<std::size_t>(axis)];
  dims[static_cast<std::size_t>(axis)] *= static_cast<std::int64_t>(parts.size());
  DimVector strides = strides_in(Shape::of(dims), format);
  strides.insert(strides.begin() + axis, strides[static_cast<std::size_t>(axis)] * size);
  return strides;
}

}  // namespace

ValuePtr stack(std::vector<ValuePtr> parts, std::int64_t axis) {
  check(!parts.empty(), "stack expects a non-empty TensorList");
  const Shape* first = parts[0]->shape;
  int wrapped = wrap_axis(axis, first->rank() + 1);
  std::vector<ValuePtr> given = parts;
  bool reordered = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    reordered |= parts[i]->has(kReordered);
    check(parts[i]->shape == first, "stack expects each tensor to be equal size, but got ",
          to_string(first->dims(), '[', ']'), " at entry 0 and ", to_string(parts[i]->shape->dims(), '[', ']'),
          " at entry ", i);
    parts[i] = functions::apply(parts[i], unsqueeze_views(first, wrapped));  // std::apply is found without the name
  }
  std::vector<Operand> operands(parts.begin(), parts.end());
  DType dtype = result_type(operands);
  for (ValuePtr& part : parts) part = build::cast(part, dtype);
  ValuePtr result = build::cat(parts, wrapped);
  if (reordered) show_strides(result.get(), stacked_strides(given, wrapped, result->shape));
  return labelled(std::move(result), "Stack");
}

ValuePtr flip(const ValuePtr& x, Dims axes) {
  ValuePtr result = x;
  for (std::int64_t axis : wrap_axes(axes, x->shape->rank())) result = build::flip(result, static_cast<int>(axis));
  return labelled(build::clone(result), "Flip");
}

}  // namespace lamina::functions
