// Rows of the registry: views, copies and joins.
#include "bindings/function_node.h"
#include "bindings/results.h"
#include "bindings/scalars.h"
#include "functions/pointwise.h"
#include "functions/views.h"
#include "ops/build.h"
#include "ops/view_layout.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

const Shape* shape_of(const Arguments& a) { return a.tensor(0)->shape; }

const Attribute* offset_and(std::int64_t offset, Dims strides) {
  DimVector both{offset};
  both.insert(both.end(), strides.begin(), strides.end());
  return Attribute::of(both);
}

// A view made by rearranging the tensor's strides: `arrange` changes its sizes, strides and offset.
template <typename Arrange>
PyObject* rearranged(const Arguments& a, const char* label, Arrange arrange) {
  engine::Variable& variable = a.variable(0);
  DimVector dims(shape_of(a)->dims().begin(), shape_of(a)->dims().end());
  engine::LogicalLayout layout = engine::logical_layout(variable);
  bool own = engine::is_leaf_of_part(variable);
  if (own) layout = {contiguous_strides(shape_of(a)), 0};
  arrange(dims, layout.strides, layout.offset);
  const Attribute* attribute = offset_and(layout.offset, layout.strides);
  const Shape* shape = Shape::of(dims);
  engine::Variable result = own ? engine::view_of(variable, {{Op::as_strided, shape, attribute}})
                                : engine::strided_view(variable, shape, attribute);
  functions::labelled(result.value, label);
  return wrap_view(a.tensor_object(0), std::move(result));
}

// A view where PyTorch gives one, else a copy.
PyObject* reshaped(const Arguments& a, const functions::Views& views, const char* label) {
  if (engine::is_viewable_as(a.variable(0), views.back().shape)) return view(a, views, label);
  return wrap(functions::labelled(build::reshape(build::clone(a.tensor(0)), views.back().shape), label));
}

PyObject* become(const Arguments& a, const functions::Views& views, const char* label) {
  engine::become_view(a.variable(0), views);
  functions::labelled(a.tensor(0), label);
  return self_of(a);
}

std::int64_t size_along(const Arguments& a, int axis) { return (*shape_of(a))[axis]; }

const Shape* with_length(const Shape* shape, int axis, std::int64_t length) {
  DimVector dims(shape->dims().begin(), shape->dims().end());
  dims[static_cast<std::size_t>(axis)] = length;
  return Shape::of(dims);
}

// The gradient of what was cut along an axis into parts of these lengths: theirs joined, 0 for missing ones.
OutputsRule joining(const ValuePtr& x, int axis, DimVector lengths) {
  return
      [shape = x->shape, dtype = x->dtype, device = x->device(), axis, lengths](std::span<const ValuePtr> gradients) {
        std::vector<ValuePtr> parts;
        std::int64_t missing = 0;
        auto fill = [&] {
          if (missing) parts.push_back(build::full(with_length(shape, axis, missing), 0, dtype, device));
          missing = 0;
        };
        for (std::size_t i = 0; i < gradients.size(); ++i) {
          if (!gradients[i]) {
            missing += lengths[i];
            continue;
          }
          fill();
          parts.push_back(build::reshape(gradients[i], with_length(shape, axis, lengths[i])));
        }
        fill();
        return build::cat(parts, axis);
      };
}

// Views of parts along an axis, which have one node in the gradient graph. `lengths`: the parts'.
PyObject* parts(const Arguments& a, std::vector<functions::Views> views, int axis, const DimVector& lengths,
                const char* label) {
  ValuePtr x = a.tensor(0);
  // What stands for one example is recorded again for a batch, op by op, which functions' nodes are not.
  bool one_node = grad_enabled() && x->requires_grad() && !x->has(kPerExample);
  ValuePtr numbers = one_node ? build::detach(x) : x;
  std::vector<engine::Variable> results;
  std::vector<ValuePtr> values;
  for (functions::Views& path : views) {
    path.back().guard = engine::kManyOutputs;
    results.push_back(engine::view_of(a.variable(0), path, numbers));
    values.push_back(results.back().value);
    if (!one_node) functions::labelled(values.back(), label);
  }
  if (one_node) values = outputs_of_one_node(x, values, label, joining(x, axis, lengths));
  Object tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(results.size()))));
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i].value = std::move(values[i]);
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap_view(a.tensor_object(0), std::move(results[i])));
  }
  return tuple.release();
}

// Consecutive pieces of these lengths along an axis.
PyObject* pieces(const Arguments& a, int axis, const DimVector& lengths) {
  std::vector<functions::Views> views;
  std::int64_t start = 0;
  for (std::int64_t length : lengths) {
    views.push_back(functions::narrow_views(shape_of(a), axis, start, length));
    start += length;
  }
  return parts(a, std::move(views), axis, lengths, "Split");
}

// The same bytes as elements of another size, as lamina/storage shows them.
Object seen_as(PyObject* tensor, DType dtype) {
  Object module(checked(PyImport_ImportModule("lamina.storage.placing")));
  return Object(checked(PyObject_CallMethod(module.get(), "seen_as", "OO", tensor, dtype_object(dtype))));
}

// Can complex numbers be seen as their parts, or parts as complex numbers, with strides? RuntimeError if not.
void check_cuttable(engine::Variable& variable, DType dtype) {
  const auto [strides, offset] = engine::logical_layout(variable);
  if (strides.empty()) return;  // refused by what makes the view
  const DType own = engine::current(variable)->dtype;
  const std::string kinds =
      text(" to view ", name_of(own), " as ", name_of(dtype), " (different element sizes), but got ");
  check(strides.back() == 1, "self.stride(-1) must be 1", kinds, strides.back());
  if (is_complex(own)) return;
  check(offset % 2 == 0, "self.storage_offset() must be divisible by 2", kinds, offset);
  for (std::size_t axis = 0; axis + 1 < strides.size(); ++axis)
    check(strides[axis] % 2 == 0, "self.stride(", axis, ") must be divisible by 2", kinds, strides[axis]);
}

DimVector even_lengths(std::int64_t size, std::int64_t piece) {
  DimVector lengths;
  for (std::int64_t start = 0; start < size || lengths.empty(); start += piece)
    lengths.push_back(std::min(piece, size - start));
  return lengths;
}

}  // namespace

LAMINA_FUNCTION_AS(kModule, reshape_function, "reshape", "input, shape") {
  return reshaped(a, functions::reshape_views(shape_of(a), a.dims(1)), "View");
}
LAMINA_FUNCTION_AS(kMethod, reshape_method, "reshape", "input, *shape") {
  return reshaped(a, functions::reshape_views(shape_of(a), a.rest_dims()), "View");
}
LAMINA_FUNCTION_AS(kMethod, view_method, "view", "input, *size, dtype=None") {
  if (auto dtype = a.given(2) ? a.dtype(2) : a.rest_dtype()) {
    const ValuePtr& x = a.tensor(0);
    if (*dtype == x->dtype) return view(a, {{Op::reshape, shape_of(a)}}, "View");
    const bool same_size = size_of(*dtype) == size_of(x->dtype);
    if (!same_size && part_type(x->dtype) == part_type(*dtype)) {
      check_cuttable(a.variable(0), *dtype);
      return view(a, functions::parts_views(x->shape, is_complex(x->dtype)), "View");
    }
    if (!same_size || *dtype == DType::kBool) return seen_as(a.tensor_object(0), *dtype).release();
    return view(a, {{Op::bitcast, shape_of(a), Attribute::of({static_cast<std::int64_t>(index_of(*dtype))})}}, "View");
  }
  functions::Views views = functions::reshape_views(shape_of(a), a.rest_dims());
  check(engine::is_viewable_as(a.variable(0), views[0].shape),
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead.");
  return view(a, views, "View");
}
// The tensor itself, as a view with a gradient of its own to hang hooks on; it refuses to be changed in place.
LAMINA_FUNCTION(kModule, _backward_hook_view, "input") {
  return view(a, {{Op::reshape, shape_of(a), nullptr, engine::kInFunction}}, "BackwardHookFunction@");
}
LAMINA_FUNCTION(kBoth, flatten, "input, start_dim=0, end_dim=-1") {
  functions::Views views = functions::flatten_views(shape_of(a), a.integer(1, 0), a.integer(2, -1));
  if (views[0].shape == shape_of(a)) return self_of(a);
  return reshaped(a, views, "View");
}
LAMINA_FUNCTION(kBoth, squeeze, "input, dim=None") {
  return view(a, functions::squeeze_views(shape_of(a), a.axes(1)), a.given(1) ? "Squeeze@1" : "Squeeze");
}
LAMINA_FUNCTION(kBoth, unsqueeze, "input, dim") {
  return view(a, functions::unsqueeze_views(shape_of(a), a.integer(1)), "Unsqueeze");
}
LAMINA_FUNCTION(kBoth, transpose, "input, dim0, dim1") {
  return view(a, functions::transpose_views(shape_of(a), a.integer(1), a.integer(2)), "Transpose");
}
LAMINA_FUNCTION(kBoth, t, "input") {
  check(shape_of(a)->rank() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", shape_of(a)->rank(), "D");
  if (shape_of(a)->rank() < 2) return view(a, {{Op::reshape, shape_of(a), nullptr}}, "T");
  return view(a, functions::transpose_views(shape_of(a), 0, 1), "T");
}
LAMINA_FUNCTION_AS(kModule, permute_function, "permute", "input, dims") {
  return view(a, functions::permute_views(shape_of(a), a.dims(1)), "Permute");
}
LAMINA_FUNCTION_AS(kMethod, permute_method, "permute", "input, *dims") {
  return view(a, functions::permute_views(shape_of(a), a.rest_dims()), "Permute");
}
LAMINA_FUNCTION_AS(kMethod, expand_method, "expand", "input, *size, implicit=False") {
  return view(a, functions::expand_views(shape_of(a), a.rest_dims()), "Expand");
}
LAMINA_FUNCTION(kMethod, expand_as, "input, other") {
  return view(a, functions::expand_views(shape_of(a), a.tensor(1)->shape->dims()), "Expand");
}
LAMINA_FUNCTION(kBoth, narrow, "input, dim, start, length") {
  check(shape_of(a)->rank() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  int axis = functions::wrap_axis(a.integer(1), shape_of(a)->rank());
  if (is_tensor(a.object(2)))
    check(a.tensor(2)->shape->rank() == 0 && !is_floating(a.tensor(2)->dtype) && a.tensor(2)->dtype != DType::kBool,
          "start must be an 0-dim integral Tensor.");
  std::int64_t size = size_along(a, axis), start = a.integer(2), length = a.integer(3);
  if (start < -size || start > size)
    fail(ErrorKind::kIndex, "start out of range (expected to be in range of [", -size, ", ", size, "], but got ", start,
         ")");
  if (start < 0) start += size;
  check(length >= 0, "narrow(): length must be non-negative.");
  check(start + length <= size, "start (", start, ") + length (", length, ") exceeds dimension size (", size, ").");
  return view(a, functions::narrow_views(shape_of(a), axis, start, length), "Slice");
}
LAMINA_FUNCTION(kBoth, select, "input, dim, index") {
  return view(a, functions::select_views(shape_of(a), a.integer(1), a.integer(2)), "Select");
}
LAMINA_FUNCTION(kBoth, split, "input, split_size_or_sections, dim=0") {
  int axis = functions::wrap_axis(a.integer(2, 0), shape_of(a)->rank());
  check(shape_of(a)->rank() > 0, "split expects at least a 1-dimensional tensor");
  std::int64_t size = size_along(a, axis);
  if (auto piece = integer_from(a.object(1))) {
    check(*piece > 0 || (*piece == 0 && size == 0),
          "split expects split_size be non-negative, but got split_size=", *piece);
    return pieces(a, axis, even_lengths(size, std::max<std::int64_t>(*piece, 1)));
  }
  DimVector lengths = a.dims(1);
  std::int64_t total = 0;
  for (std::int64_t length : lengths) {
    check(length >= 0, "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=",
          to_string(lengths, '[', ']'));
    total += length;
  }
  check(total == size, "split_with_sizes expects split_sizes to sum exactly to ", size,
        " (input tensor's size at dimension ", axis, "), but got split_sizes=", to_string(lengths, '[', ']'));
  return pieces(a, axis, lengths);
}
LAMINA_FUNCTION(kBoth, chunk, "input, chunks, dim=0") {
  check(shape_of(a)->rank() > 0, "chunk expects at least a 1-dimensional tensor");
  int axis = functions::wrap_axis(a.integer(2, 0), shape_of(a)->rank());
  std::int64_t size = size_along(a, axis), chunks = a.integer(1);
  check(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
  std::int64_t piece = size / chunks + (size % chunks != 0);
  return pieces(a, axis, size == 0 ? DimVector(static_cast<std::size_t>(chunks), 0) : even_lengths(size, piece));
}
LAMINA_FUNCTION(kBoth, unbind, "input, dim=0") {
  int axis = functions::wrap_axis(a.integer(1, 0), shape_of(a)->rank());
  if (shape_of(a)->rank() == 0)
    fail(ErrorKind::kIndex, "Dimension specified as ", axis, " but tensor has no dimensions");
  std::vector<functions::Views> views;
  for (std::int64_t i = 0; i < size_along(a, axis); ++i) views.push_back(functions::select_views(shape_of(a), axis, i));
  DimVector ones(views.size(), 1);
  return parts(a, std::move(views), axis, ones, "Unbind");
}

LAMINA_FUNCTION(kMethod, squeeze_, "input, dim=None") {
  return become(a, functions::squeeze_views(shape_of(a), a.axes(1)), "Squeeze");
}
LAMINA_FUNCTION(kMethod, unsqueeze_, "input, dim") {
  return become(a, functions::unsqueeze_views(shape_of(a), a.integer(1)), "Unsqueeze");
}
LAMINA_FUNCTION(kMethod, transpose_, "input, dim0, dim1") {
  return become(a, functions::transpose_views(shape_of(a), a.integer(1), a.integer(2)), "Transpose");
}
LAMINA_FUNCTION(kMethod, t_, "input") {
  check(shape_of(a)->rank() <= 2, "t_() expects a tensor with <= 2 dimensions, but self is ", shape_of(a)->rank(), "D");
  if (shape_of(a)->rank() < 2) return become(a, {{Op::reshape, shape_of(a)}}, "T");
  return become(a, functions::transpose_views(shape_of(a), 0, 1), "T");
}
// What is detached shares numbers, and is no view; in inference mode nobody asks.
LAMINA_FUNCTION(kMethod, _is_view, "input") {
  return PyBool_FromLong(a.variable(0).is_shown_as_view() && !a.tensor(0)->has(kInferenceMade));
}

namespace {

// Where as_strided shall look, checked against the memory that there is, which may be another type's.
functions::Views strided_views(const Arguments& a) {
  DimVector size = a.dims(1), stride = a.dims(2);
  engine::Variable& variable = a.variable(0);
  const ValuePtr& memory = variable.is_view() ? variable.cell->value : a.tensor(0);
  const auto bytes = static_cast<std::int64_t>(size_of(a.tensor(0)->dtype)),
             held = memory->shape->numel() * static_cast<std::int64_t>(size_of(memory->dtype));
  const std::int64_t offset = a.integer(3, engine::logical_layout(variable).offset);
  check(size.size() == stride.size(), "mismatch in length of strides and shape");
  const Shape* shape = Shape::of(size);
  std::int64_t last = offset, needed = 0;
  bool overflows = false;
  for (std::size_t axis = 0; axis < size.size(); ++axis) {
    check(stride[axis] >= 0,
          "as_strided: Negative strides are not supported at the moment, got strides: ", to_string(stride, '[', ']'));
    std::int64_t distance = 0;
    overflows |= __builtin_mul_overflow(std::max<std::int64_t>(size[axis] - 1, 0), stride[axis], &distance) ||
                 __builtin_add_overflow(last, distance, &last);
  }
  overflows |= __builtin_add_overflow(last, 1, &needed) || __builtin_mul_overflow(needed, bytes, &needed);
  check(!overflows, "Storage size calculation overflowed with sizes=", to_string(size, '[', ']'),
        " and strides=", to_string(stride, '[', ']'));
  check(offset >= 0 && (shape->numel() == 0 || needed <= held), "setStorage: sizes ", to_string(size, '[', ']'),
        ", strides ", to_string(stride, '[', ']'), ", storage offset ", offset, ", and itemsize ", bytes,
        " requiring a storage size of ", needed, " are out of bounds for storage of size ", held);
  return {{Op::as_strided, shape, offset_and(offset, stride)}};
}

}  // namespace

LAMINA_FUNCTION(kBoth, as_strided, "input, size, stride, storage_offset=None") {
  functions::Views views = strided_views(a);
  engine::Variable result = engine::strided_view(a.variable(0), views[0].shape, views[0].attribute);
  functions::labelled(result.value, "AsStrided");
  return wrap_view(a.tensor_object(0), std::move(result));
}
LAMINA_FUNCTION(kMethod, as_strided_, "input, size, stride, storage_offset=None") {
  functions::Views views = strided_views(a);
  engine::Variable& variable = a.variable(0);
  if (!variable.is_view()) return become(a, views, "AsStrided");
  engine::become_strided_view(variable, views[0].shape, views[0].attribute);
  functions::labelled(a.tensor(0), "AsStrided");
  return self_of(a);
}
LAMINA_FUNCTION(kMethod, unfold, "input, dimension, size, step") {
  int rank = shape_of(a)->rank(), axis = functions::wrap_axis(a.integer(1), rank);
  std::int64_t size = a.integer(2), step = a.integer(3), length = rank ? size_along(a, axis) : 1;
  check(size >= 0, "size is ", size, " but must be >= 0");
  check(size <= length, "maximum size for tensor at dimension ", axis, " is ", length, " but size is ", size);
  check(step > 0, "step is ", step, " but must be > 0");
  return rearranged(a, "Unfold", [&](DimVector& dims, DimVector& strides, std::int64_t&) {
    auto at = static_cast<std::size_t>(axis);
    dims.push_back(size);
    strides.push_back(rank ? strides[at] : 1);
    if (rank == 0) return;
    dims[at] = (length - size) / step + 1;
    strides[at] *= step;
  });
}
LAMINA_FUNCTION(kBoth, diagonal, "input, offset=0, dim1=0, dim2=1") {
  int rank = shape_of(a)->rank();
  std::int64_t shift = a.integer(1, 0);
  auto down = static_cast<std::ptrdiff_t>(functions::wrap_axis(a.integer(2, 0), rank)),
       across = static_cast<std::ptrdiff_t>(functions::wrap_axis(a.integer(3, 1), rank));
  check(down != across, "diagonal dimensions cannot be identical ", down, ", ", across);
  return rearranged(a, "Diagonal", [&](DimVector& dims, DimVector& strides, std::int64_t& offset) {
    std::int64_t rows = dims.begin()[down], columns = dims.begin()[across];
    std::int64_t row_step = strides.begin()[down], column_step = strides.begin()[across];
    std::int64_t length = std::max<std::int64_t>(
        std::min(rows + std::min<std::int64_t>(shift, 0), columns - std::max<std::int64_t>(shift, 0)), 0);
    if (length) offset += shift >= 0 ? shift * column_step : -shift * row_step;
    for (std::ptrdiff_t axis : {std::max(down, across), std::min(down, across)}) {
      dims.erase(dims.begin() + axis);
      strides.erase(strides.begin() + axis);
    }
    dims.push_back(length);
    strides.push_back(row_step + column_step);
  });
}

LAMINA_FUNCTION(kModule, cat, "tensors, dim=0") { return wrap(functions::cat(a.tensors(0), a.integer(1, 0))); }
LAMINA_FUNCTION(kModule, concat, "tensors, dim=0") { return wrap(functions::cat(a.tensors(0), a.integer(1, 0))); }
LAMINA_FUNCTION(kModule, concatenate, "tensors, dim=0") { return wrap(functions::cat(a.tensors(0), a.integer(1, 0))); }
LAMINA_FUNCTION(kModule, stack, "tensors, dim=0") { return wrap(functions::stack(a.tensors(0), a.integer(1, 0))); }
LAMINA_FUNCTION(kModule, _slice_update, "base, source, starts") {
  DimVector starts_and_steps = a.dims(2);
  starts_and_steps.resize(2 * starts_and_steps.size(), 1);
  return wrap(build::slice_update(a.tensor(0), a.tensor(1), Attribute::of(starts_and_steps)));
}
LAMINA_FUNCTION_AS(kModule, flip_function, "flip", "input, dims") {
  return wrap(laid(functions::flip(a.tensor(0), a.dims(1)), a.variable(0), MemoryFormat::kPreserve));
}
LAMINA_FUNCTION_AS(kMethod, flip_method, "flip", "input, *dims") {
  if (!a.rest_given()) fail(ErrorKind::kType, "flip() missing 1 required positional arguments: \"dims\"");
  return wrap(laid(functions::flip(a.tensor(0), a.rest_dims()), a.variable(0), MemoryFormat::kPreserve));
}

LAMINA_FUNCTION(kBoth, detach, "input") { return wrap(engine::detached(a.variable(0), true)); }

}  // namespace lamina::bindings
