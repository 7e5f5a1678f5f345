// Rows of the registry: complex numbers and their parts.
#include <string_view>

#include "bindings/complex_parts.h"
#include "bindings/exchange.h"
#include "bindings/in_place.h"
#include "bindings/results.h"
#include "bindings/warning.h"
#include "functions/fourier.h"
#include "functions/pointwise.h"
#include "functions/views.h"
#include "ops/complex.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

bool has_complex(DType dtype) { return is_floating(dtype) && dtype != DType::kBFloat16; }

// Raises unless two neighboring floats can be seen as one number.
void check_pairs(const Arguments& a) {
  const ValuePtr& x = a.tensor(0);
  check(has_complex(x->dtype),
        "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: ",
        functions::scalar_name(x->dtype));
  auto dims = x->shape->dims();
  check(!dims.empty(), "Input tensor must have one or more dimensions");
  check(dims.back() == 2, "Tensor must have a last dimension of size 2");
  engine::LogicalLayout layout = engine::logical_layout(a.variable(0));
  check(layout.strides.back() == 1, "Tensor must have a last dimension with stride 1");
  for (std::size_t axis = 0; axis + 1 < dims.size(); ++axis)
    check(layout.strides[axis] % 2 == 0 || dims[axis] < 2,
          "Tensor must have a stride divisible by 2 for all but last dimension");
  check(layout.offset % 2 == 0, "Tensor must have a storage_offset divisible by 2");
}

// Raises unless both are floats of one type that has a complex one.
void check_parts(const char* function, const ValuePtr& first, const ValuePtr& second) {
  check(has_complex(first->dtype) && has_complex(second->dtype),
        "Expected both inputs to be Half, Float or Double tensors but got ", functions::scalar_name(first->dtype),
        " and ", functions::scalar_name(second->dtype));
  check(first->dtype == second->dtype, "Expected object of scalar type ", functions::scalar_name(first->dtype),
        " but got scalar type ", functions::scalar_name(second->dtype), " for second argument of ", function);
}

}  // namespace

PyObject* part_of(PyObject* tensor, std::int64_t which) {
  const ValuePtr& x = value_of(tensor);
  if (!is_complex(x->dtype)) {
    check(which == 0, "imag is not implemented for tensors with non-complex dtypes.");
    return Object::borrowed(tensor).release();
  }
  const Shape* shape = build::with_parts(x->shape);
  functions::Views views{{Op::view_as_real, shape}};
  for (const engine::ViewSpec& step : functions::select_views(shape, -1, which)) views.push_back(step);
  engine::Variable result = engine::view_of(as_tensor(tensor)->variable, views);
  functions::labelled(result.value, which == 0 ? "Real" : "Imag");
  return wrap_view(tensor, std::move(result));
}

LAMINA_FUNCTION(kBoth, view_as_real, "input") {
  const ValuePtr& x = a.tensor(0);
  check(is_complex(x->dtype), "view_as_real is only supported for complex tensors");
  return view(a, {{Op::view_as_real, build::with_parts(x->shape)}}, "ViewAsReal");
}
LAMINA_FUNCTION(kBoth, view_as_complex, "input") {
  check_pairs(a);
  auto dims = a.tensor(0)->shape->dims();
  return view(a, {{Op::view_as_complex, Shape::of(dims.first(dims.size() - 1))}}, "ViewAsComplex");
}
LAMINA_FUNCTION(kModule, real, "input") { return part_of(a.tensor_object(0), 0); }
LAMINA_FUNCTION(kModule, imag, "input") { return part_of(a.tensor_object(0), 1); }

LAMINA_FUNCTION(kModule, complex, "real, imag") {
  check_parts("complex", a.tensor(0), a.tensor(1));
  return wrap(functions::labelled(build::complex(a.tensor(0), a.tensor(1)), "Complex"));
}
LAMINA_FUNCTION(kModule, polar, "abs, angle") {
  const ValuePtr &size = a.tensor(0), &angle = a.tensor(1);
  check_parts("polar", size, angle);
  return wrap(functions::labelled(
      build::complex(build::mul(size, build::cos(angle)), build::mul(size, build::sin(angle))), "Polar"));
}

LAMINA_FUNCTION(kBoth, conj, "input") {
  return is_complex(a.tensor(0)->dtype) ? wrap(functions::labelled(build::conj(a.tensor(0)), "Conj")) : self_of(a);
}
LAMINA_FUNCTION(kBoth, conj_physical, "input") {
  return is_complex(a.tensor(0)->dtype) ? wrap(functions::labelled(build::conj(a.tensor(0)), "ConjPhysical"))
                                        : self_of(a);
}
LAMINA_FUNCTION(kBoth, conj_physical_, "input") {
  engine::check_assignable(a.variable(0));
  assign_result(a.tensor_object(0), functions::labelled(build::conj(a.tensor(0)), "ConjPhysical"));
  return self_of(a);
}
// x / |x|, and 0 for 0: the sign of a real number.
LAMINA_FUNCTION(kBoth, sgn, "input") { return wrap(functions::sgn(a.tensor(0))); }
LAMINA_FUNCTION(kBoth, sgn_, "input") {
  engine::check_assignable(a.variable(0));
  assign_result(a.tensor_object(0), functions::sgn(a.tensor(0)));
  return self_of(a);
}

// kind: complex numbers; "half" of the spectrum of real ones; "real" ones of such a half. points and dim are checked.
LAMINA_FUNCTION(kModule, _fourier, "kind, input, points, dim, norm, inverse") {
  const std::string_view kind = a.text(0), norm = a.text(4);
  const bool inverse = a.flag(5, false);
  const Op op = kind == "half" ? Op::fourier_half : kind == "real" ? Op::fourier_real : Op::fourier;
  const FourierNorm divided = norm == "ortho"                   ? FourierNorm::root
                              : (norm == "backward") == inverse ? FourierNorm::points
                                                                : FourierNorm::none;
  return wrap(functions::fourier(op, a.tensor(1), a.dims(2), a.dims(3), divided, inverse));
}

LAMINA_FUNCTION_AS(kMethod, to_complex_number, "__complex__", "input") {
  const ValuePtr& x = a.tensor(0);
  warn_of_lost_gradient(x);
  if (x->shape->numel() != 1) fail(ErrorKind::kValue, "only one element tensors can be converted to Python scalars");
  Object number(number_object(x));
  if (PyComplex_Check(number.get())) return number.release();
  return checked(PyComplex_FromDoubles(PyFloat_AsDouble(number.get()), 0));
}

}  // namespace lamina::bindings
