// Rows of the registry: reductions, scans, sorting.
#include <cmath>
#include <limits>

#include "bindings/results.h"
#include "bindings/scalars.h"
#include "functions/pointwise.h"
#include "functions/reduce.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// (values, indices) as PyTorch's named tuple.
PyObject* wrap_pair(functions::Extremes pair, const char* name) {
  Object module(checked(PyImport_ImportModule("lamina.return_types")));
  Object type(checked(PyObject_GetAttrString(module.get(), name)));
  Object values(wrap(std::move(pair.values))), indices(wrap(std::move(pair.indices)));
  return checked(PyObject_CallFunctionObjArgs(type.get(), values.get(), indices.get(), nullptr));
}

// max and min: of everything, along an axis, or of two tensors.
PyObject* extreme(const Arguments& a, bool largest) {
  if (!a.given(1)) {
    const ValuePtr& x = a.tensor(0);
    return wrap(functions::labelled(
        functions::extremum(largest ? Op::amax : Op::amin, x, std::nullopt, false, largest ? "max" : "min"),
        largest ? "Max@1" : "Min@1"));
  }
  if (is_tensor(a.object(1)))
    return wrap(functions::binary(largest ? Op::maximum : Op::minimum, a.tensor(0), a.tensor(1)));
  return wrap_pair(
      functions::extremum_with_indices(largest ? Op::argmax : Op::argmin, a.tensor(0), a.integer(1), a.flag(2, false)),
      largest ? "max" : "min");
}

functions::Axes axes_of(const Arguments& a, std::size_t i) { return a.axes(i); }

double correction_of(const Arguments& a, std::size_t unbiased, std::size_t correction) {
  if (a.given(correction)) return a.number(correction);
  return a.flag(unbiased, true) ? 1 : 0;
}

// PyTorch's warning, in the function's name, where the numbers are too few for a spread. Nothing is computed on meta.
ValuePtr with_freedom(const char* name, const ValuePtr& x, double correction, ValuePtr result) {
  std::int64_t results = result->shape->numel(), count = results ? x->shape->numel() / results : 0;
  if (static_cast<double>(count) <= correction && !x->has(kMeta)) {
    std::string warning = text(name,
                               "(): degrees of freedom is <= 0. Correction should be strictly less than the reduction "
                               "factor (input numel divided by output numel).");
    checked(PyErr_WarnEx(PyExc_UserWarning, warning.c_str(), 1));
  }
  return result;
}

// var(x, unbiased) and var(x, dim, unbiased) share their positions.
template <typename Function>
PyObject* spread(const Arguments& a, Function function) {
  bool flag_first = a.given(1) && PyBool_Check(a.object(1));
  functions::Axes axes = flag_first ? std::nullopt : axes_of(a, 1);
  double correction = flag_first ? (a.object(1) == Py_True ? 1 : 0) : correction_of(a, 2, 4);
  ValuePtr result = function(a.tensor(0), axes, correction, a.flag(3, false));
  return wrap(with_freedom(a.signature().name(), a.tensor(0), correction, std::move(result)));
}

}  // namespace

LAMINA_FUNCTION(kBoth, sum, "input, dim=None, keepdim=False, *, dtype=None") {
  return wrap(functions::sum(a.tensor(0), axes_of(a, 1), a.flag(2, false), a.dtype(3)));
}
LAMINA_FUNCTION(kBoth, mean, "input, dim=None, keepdim=False, *, dtype=None") {
  return wrap(functions::mean(a.tensor(0), axes_of(a, 1), a.flag(2, false), a.dtype(3)));
}
LAMINA_FUNCTION(kBoth, prod, "input, dim=None, keepdim=False, *, dtype=None") {
  return wrap(functions::prod(a.tensor(0), axes_of(a, 1), a.flag(2, false), a.dtype(3)));
}
LAMINA_FUNCTION(kBoth, amax, "input, dim=None, keepdim=False") {
  return wrap(functions::extremum(Op::amax, a.tensor(0), axes_of(a, 1), a.flag(2, false)));
}
LAMINA_FUNCTION(kBoth, amin, "input, dim=None, keepdim=False") {
  return wrap(functions::extremum(Op::amin, a.tensor(0), axes_of(a, 1), a.flag(2, false)));
}
LAMINA_FUNCTION(kBoth, any, "input, dim=None, keepdim=False") {
  return wrap(functions::any_all(Op::any, a.tensor(0), axes_of(a, 1), a.flag(2, false)));
}
LAMINA_FUNCTION(kBoth, equal, "input, other") { return PyBool_FromLong(functions::equal(a.tensor(0), a.tensor(1))); }
LAMINA_FUNCTION(kBoth, all, "input, dim=None, keepdim=False") {
  return wrap(functions::any_all(Op::all, a.tensor(0), axes_of(a, 1), a.flag(2, false)));
}
LAMINA_FUNCTION(kBoth, argmax, "input, dim=None, keepdim=False") {
  auto axis = a.given(1) ? std::optional<std::int64_t>(a.integer(1)) : std::nullopt;
  return wrap(functions::arg_extremum(Op::argmax, a.tensor(0), axis, a.flag(2, false)));
}
LAMINA_FUNCTION(kBoth, argmin, "input, dim=None, keepdim=False") {
  auto axis = a.given(1) ? std::optional<std::int64_t>(a.integer(1)) : std::nullopt;
  return wrap(functions::arg_extremum(Op::argmin, a.tensor(0), axis, a.flag(2, false)));
}
LAMINA_FUNCTION(kBoth, max, "input, dim=None, keepdim=False") { return extreme(a, true); }
LAMINA_FUNCTION(kBoth, min, "input, dim=None, keepdim=False") { return extreme(a, false); }
LAMINA_FUNCTION(kBoth, var, "input, dim=None, unbiased=None, keepdim=False, *, correction=None") {
  return spread(a, functions::var);
}
// The variance for a function of this name.
LAMINA_FUNCTION(kModule, _variance, "name, input, dim, correction, keepdim") {
  ValuePtr result = functions::var(a.tensor(1), axes_of(a, 2), a.number(3), a.flag(4, false));
  return wrap(with_freedom(a.text(0), a.tensor(1), a.number(3), std::move(result)));
}
LAMINA_FUNCTION(kBoth, std, "input, dim=None, unbiased=None, keepdim=False, *, correction=None") {
  return spread(a, functions::std_deviation);
}

namespace {

// The sum of singular values: composed in Python.
PyObject* nuclear_norm(const Arguments& a) {
  check(a.given(2) || a.tensor(0)->shape->rank() == 2, "norm(): 'nuc' without dim expects a matrix, got ",
        to_string(a.tensor(0)->shape->dims(), '[', ']'));
  Object module(checked(PyImport_ImportModule("lamina.linalg")));
  Object axes(a.given(2) ? Object::borrowed(a.object(2)) : Object(checked(Py_BuildValue("(ii)", 0, 1))));
  Object flag(PyBool_FromLong(a.flag(3, false)));
  return checked(PyObject_CallMethod(module.get(), "matrix_norm", "OsOO", a.object(0), "nuc", axes.get(), flag.get()));
}

}  // namespace

LAMINA_FUNCTION(kBoth, norm, "input, p=2, dim=None, keepdim=False, dtype=None") {
  double p = 2;
  if (a.given(1) && PyUnicode_Check(a.object(1))) {
    std::string kind = a.text(1);
    if (kind == "nuc") return nuclear_norm(a);
    check(kind == "fro", "norm(): expected p to be a number, 'fro' or 'nuc', got '", kind, "'");
  } else {
    p = a.number(1, 2);
  }
  return wrap(functions::norm(a.tensor(0), p, axes_of(a, 2), a.flag(3, false), a.dtype(4)));
}

LAMINA_FUNCTION(kBoth, logsumexp, "input, dim, keepdim=False") {
  return wrap(functions::logsumexp(a.tensor(0), a.dims(1), a.flag(2, false)));
}
LAMINA_FUNCTION(kBoth, softmax, "input, dim, dtype=None") {
  return wrap(functions::along_axis(Op::softmax, a.tensor(0), a.integer(1), a.dtype(2)));
}
LAMINA_FUNCTION(kBoth, log_softmax, "input, dim, dtype=None") {
  return wrap(functions::along_axis(Op::log_softmax, a.tensor(0), a.integer(1), a.dtype(2)));
}
LAMINA_FUNCTION(kBoth, cumsum, "input, dim, *, dtype=None") {
  return wrap(functions::along_axis(Op::cumsum, a.tensor(0), a.integer(1), a.dtype(2)));
}
LAMINA_FUNCTION(kBoth, cumprod, "input, dim, *, dtype=None") {
  return wrap(functions::along_axis(Op::cumprod, a.tensor(0), a.integer(1), a.dtype(2)));
}

LAMINA_FUNCTION(kModule, _running_extreme, "input, dim, largest") {
  functions::Extremes found = functions::running_extreme(a.tensor(0), a.integer(1), a.flag(2, true));
  return wrap_tuple({std::move(found.values), std::move(found.indices)});
}
LAMINA_FUNCTION(kBoth, sort, "input, dim=-1, descending=False, *, stable=False") {
  auto sorted = functions::sort(a.tensor(0), a.integer(1, -1), a.flag(2, false));
  sorted.values = laid(std::move(sorted.values), a.variable(0), MemoryFormat::kPreserve);
  sorted.indices = laid(std::move(sorted.indices), a.variable(0), MemoryFormat::kPreserve);
  return wrap_pair(std::move(sorted), "sort");
}
LAMINA_FUNCTION(kBoth, argsort, "input, dim=-1, descending=False, stable=False") {
  ValuePtr positions = functions::sort(build::detach(a.tensor(0)), a.integer(1, -1), a.flag(2, false)).indices;
  return wrap(laid(std::move(positions), a.variable(0), MemoryFormat::kPreserve));
}
LAMINA_FUNCTION(kModule, _search, "sorted, numbers, behind_equals") {
  return wrap(functions::search(a.tensor(0), a.tensor(1), a.flag(2, false)));
}
LAMINA_FUNCTION(kBoth, topk, "input, k, dim=-1, largest=True, sorted=True") {
  return wrap_pair(functions::topk(a.tensor(0), a.integer(1), a.integer(2, -1), a.flag(3, true)), "topk");
}

}  // namespace lamina::bindings
