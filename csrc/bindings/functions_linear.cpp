// Rows of the registry: matrix products and indexing by tensors.
#include <string_view>

#include "bindings/out_argument.h"
#include "bindings/registry.h"
#include "engine/flush.h"
#include "engine/index.h"
#include "functions/indexing.h"
#include "functions/linear.h"
#include "functions/pointwise.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

LAMINA_FUNCTION(kBoth, matmul, "input, other") { return wrap(functions::matmul(a.tensor(0), a.tensor(1))); }
LAMINA_FUNCTION(kBoth, mm, "input, mat2") { return wrap(functions::mm(a.tensor(0), a.tensor(1))); }
LAMINA_FUNCTION(kBoth, bmm, "input, mat2") { return wrap(functions::bmm(a.tensor(0), a.tensor(1))); }
LAMINA_FUNCTION(kBoth, mv, "input, vec") { return wrap(functions::mv(a.tensor(0), a.tensor(1))); }
LAMINA_FUNCTION(kBoth, dot, "input, tensor") { return wrap(functions::dot(a.tensor(0), a.tensor(1))); }
namespace {

// A factor; 1 if none is given.
functions::Operand number(const Arguments& a, std::size_t i) {
  if (!a.given(i)) return functions::Operand::of(std::int64_t{1});
  if (PyComplex_Check(a.object(i))) return a.operand(i);
  return functions::Operand::of(a.number(i));
}

}  // namespace

LAMINA_FUNCTION(kBoth, addmm, "input, mat1, mat2, *, beta=1, alpha=1") {
  return wrap(functions::addmm(a.tensor(0), a.tensor(1), a.tensor(2), number(a, 3), number(a, 4)));
}
LAMINA_FUNCTION(kModule, linear, "input, weight, bias=None") {
  return wrap(functions::linear(a.tensor(0), a.tensor(1), a.tensor_or_null(2)));
}

LAMINA_FUNCTION(kModule, _solve_triangle, "a, b, upper, unit") {
  return wrap(functions::solve_triangle(a.tensor(0), a.tensor(1), a.flag(2, false), a.flag(3, false)));
}

LAMINA_FUNCTION(kBoth, gather, "input, dim, index, *, sparse_grad=False") {
  return wrap(functions::gather(a.tensor(0), a.integer(1), a.tensor(2)));
}
namespace {

functions::Operand source_of(const Arguments& a) {
  check(a.given(3) || a.given(4), "scatter(): expected src or value");
  return a.given(3) ? a.operand(3) : a.operand(4);
}

// With a way to combine, what was there stays in: composed in Python.
ValuePtr scattered(const Arguments& a) {
  if (!a.given(5)) return functions::scatter(a.tensor(0), a.integer(1), a.tensor(2), source_of(a), false);
  check(a.given(3) || a.given(4), "scatter(): expected src or value");
  Object module(checked(PyImport_ImportModule("lamina.functions.scattering")));
  Object result(checked(PyObject_CallMethod(module.get(), "scatter_combined", "OLOOO", a.object(0),
                                            static_cast<long long>(a.integer(1)), a.object(2),
                                            a.given(3) ? a.object(3) : a.object(4), a.object(5))));
  return value_of(result.get());
}

}  // namespace
LAMINA_FUNCTION(kBoth, scatter, "input, dim, index, src=None, *, value=None, reduce=None") {
  return wrap(scattered(a));
}
LAMINA_FUNCTION(kBoth, scatter_add, "input, dim, index, src") {
  return wrap(functions::scatter(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3), true));
}
LAMINA_FUNCTION(kMethod, scatter_, "input, dim, index, src=None, *, value=None, reduce=None") {
  engine::check_assignable(a.variable(0));
  for (std::size_t read : {std::size_t{2}, std::size_t{3}})
    if (a.given(read)) check_no_overlap(a.object(read), a.object(0));
  engine::assign(a.variable(0), scattered(a));
  return Object::borrowed(a.object(0)).release();
}
LAMINA_FUNCTION(kMethod, scatter_add_, "input, dim, index, src") {
  engine::check_assignable(a.variable(0));
  for (std::size_t read : {std::size_t{2}, std::size_t{3}}) check_no_overlap(a.tensor_object(read), a.object(0));
  engine::assign(a.variable(0), functions::scatter(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3), true));
  return Object::borrowed(a.object(0)).release();
}
LAMINA_FUNCTION(kBoth, index_select, "input, dim, index") {
  return wrap(functions::index_select(a.tensor(0), a.integer(1), a.tensor(2)));
}
// gather, of an int64 index that is known to lie within: nobody looks at it.
LAMINA_FUNCTION(kModule, _gather_within, "input, dim, index") {
  const ValuePtr& x = a.tensor(0);
  return wrap(build::gather(x, functions::wrap_axis(a.integer(1), x->shape->rank()), a.tensor(2)));
}
// Sums of weighed slices (op_list.inc) along the axis before the last of four; the index is known to lie within.
LAMINA_FUNCTION(kModule, _weighted_take, "input, index, weights") {
  const ValuePtr &x = a.tensor(0), &index = a.tensor(1), &weights = a.tensor(2);
  check(
      x->shape->rank() == 4 && index->shape->rank() == 3 && index->shape == weights->shape &&
          (*index->shape)[0] == (*x->shape)[0] && (*index->shape)[2] > 0 && index->dtype == DType::kInt64 &&
          is_floating(x->dtype) && weights->dtype == x->dtype,
      "_weighted_take: expected floats (batch, outer, places, inner), int64 (batch, count, taps) and as many weights");
  return wrap(build::weighted_take(x, index, weights));
}
// The slices of input along dim that an index names, replaced by source's, or added to.
LAMINA_FUNCTION(kModule, _put_slices, "input, dim, index, source, add=False") {
  return wrap(functions::put_slices(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3), a.flag(4, false)));
}
LAMINA_FUNCTION(kModule, _class_loss, "input, target, ignored, reduction") {
  using functions::LossReduction;
  const char* text = a.text(3);
  std::string_view name = text ? text : "";
  if (name != "mean" && name != "sum" && name != "none") Py_RETURN_NONE;
  ValuePtr loss = functions::class_loss(a.tensor(0), a.tensor(1), a.integer(2),
                                        name == "mean"  ? LossReduction::kMean
                                        : name == "sum" ? LossReduction::kSum
                                                        : LossReduction::kNone);
  if (!loss) Py_RETURN_NONE;
  return wrap(std::move(loss));
}
// Are all numbers in [0, 1]? Reads them, unless the op that made them says so. Examples of a batch pass.
LAMINA_FUNCTION(kModule, _are_probabilities, "input") {
  const ValuePtr& x = a.tensor(0);
  bool known =
      x->has(kPerExample) || x->op == static_cast<OpId>(Op::sigmoid) || x->op == static_cast<OpId>(Op::softmax);
  return PyBool_FromLong(known || engine::all_within(x, 0, 1));
}

LAMINA_FUNCTION(kModule, _one_hot, "input, num_classes=-1") {
  return wrap(functions::one_hot(a.tensor(0), a.integer(1, -1)));
}

LAMINA_FUNCTION(kBoth, nonzero, "input, *, as_tuple=False") {
  const ValuePtr& x = a.tensor(0);
  if (!a.flag(1, false)) {
    ValuePtr positions = engine::nonzero(x);
    show_strides(positions.get(), DimVector{1, (*positions->shape)[0]});  // a column an axis
    return wrap(std::move(positions));
  }
  ValuePtr source = x->shape->rank() == 0 ? build::reshape(x, Shape::of({1})) : x;
  std::vector<ValuePtr> columns;
  for (ValuePtr& positions : functions::mask_to_indices(source)) columns.push_back(build::clone(positions));
  return wrap_tuple(std::move(columns));
}

}  // namespace lamina::bindings
