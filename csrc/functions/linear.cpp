// Public matrix products.
#include "functions/linear.h"

#include "engine/transposed_copy.h"
#include "functions/pointwise.h"
#include "graph/scope.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::functions {

using namespace build;

namespace {

void check_same_dtype(const char* name, const ValuePtr& a, const ValuePtr& b) {
  check(a->dtype == b->dtype, name, ": expected m1 and m2 to have the same dtype, but got: ", name_of(a->dtype),
        " != ", name_of(b->dtype));
}

// The kernels multiply int32, int64, float32 and float64.
ValuePtr product(const ValuePtr& a, const ValuePtr& b, bool transpose_b = false) {
  if (a->dtype == DType::kUInt8)
    return cast(build::matmul(cast(a, DType::kInt32), cast(b, DType::kInt32), false, transpose_b), DType::kUInt8);
  check(a->dtype != DType::kBool, "\"addmm_impl_cpu_\" not implemented for 'Bool'");
  return build::matmul(a, b, false, transpose_b);
}

// How many rows repay a look for the weight's transpose: fewer are dot products with its rows, if these are not short,
// and for more the kernels rearrange it themselves at little cost. A weight larger than the caches comes faster along
// its rows. Measured: docs/adr/0005-transposed-weights.md.
constexpr std::int64_t kFewestRows = 5, kMostRows = 112, kShortRow = 64, kMostBytes = 8 << 20;

// x (rows, in) times the transpose of weight (out, in).
ValuePtr product_with_weight(const ValuePtr& x, const ValuePtr& weight) {
  bool differentiated = grad_enabled() && (x->requires_grad() || weight->requires_grad());
  std::int64_t rows = (*x->shape)[0];
  bool repaid = rows <= kMostRows && (rows >= kFewestRows || (*x->shape)[1] <= kShortRow) &&
                static_cast<std::int64_t>(size_of(weight->dtype)) * weight->shape->numel() <= kMostBytes;
  if (!differentiated && is_floating(x->dtype) && repaid) {
    if (ValuePtr transposed = engine::transposed_copy(weight)) return build::matmul(x, transposed);
  }
  return product(x, weight, true);
}

ValuePtr with_rank(const ValuePtr& x, Dims dims) { return build::reshape(x, Shape::of(dims)); }

std::string where_am_i() {
  std::string path = scope_path(current_scope());
  return path.empty() ? "" : "in " + path + ", ";
}

// Texts are made only for what fails: every layer of every step comes through here.
// Of rows times a weight that is a matrix.
DimVector result_dims(const ValuePtr& x, const ValuePtr& weight) {
  DimVector dims(x->shape->dims().begin(), x->shape->dims().end());
  dims.back() = (*weight->shape)[0];
  return dims;
}

void check_linear(const ValuePtr& x, const ValuePtr& weight, const ValuePtr& bias) {
  const Shape &in = *x->shape, &w = *weight->shape;
  auto refuse = [](const std::string& message) { fail(ErrorKind::kRuntime, "linear: ", message); };
  if (w.rank() != 1 && w.rank() != 2)
    refuse(text("expected a weight of 1 or 2 dimensions, got shape ", to_string(w.dims())));
  if (in.rank() == 0)
    refuse(text("both arguments to linear need to be at least 1D, but they are 0D and ", w.rank(), "D"));
  std::int64_t features = in[in.rank() - 1];
  if (features != w[w.rank() - 1])
    refuse(text("expected ", w[w.rank() - 1], " input features, got ", features, " (", where_am_i(), "input ",
                to_string(in.dims()), ", weight ", to_string(w.dims()),
                "): mat1 and mat2 shapes cannot be multiplied (", in.numel() / std::max<std::int64_t>(features, 1), "x",
                features, " and ", w[w.rank() - 1], "x", w.rank() == 2 ? w[0] : 1, ")"));
  if (x->dtype != weight->dtype || (bias && bias->dtype != x->dtype))
    refuse(text("expected input, weight and bias of one dtype, got ", name_of(x->dtype), ", ", name_of(weight->dtype),
                bias ? ", " : "", bias ? name_of(bias->dtype) : "", " (mat1 and mat2 must have the same dtype; ",
                where_am_i(), "convert one of them with .to(dtype))"));
  if (bias && w.rank() == 2 && !is_expandable(bias->shape->dims(), result_dims(x, weight)))
    refuse(text("expected a bias of shape (", w[0], ",), or one that repeats to the result's ",
                to_string(result_dims(x, weight)), ", got ", to_string(bias->shape->dims())));
}

}  // namespace

ValuePtr matmul(const ValuePtr& a, const ValuePtr& b) {
  int ra = a->shape->rank(), rb = b->shape->rank();
  check(ra > 0 && rb > 0, "both arguments to matmul need to be at least 1D, but they are ", ra, "D and ", rb, "D");
  check_same_dtype("matmul", a, b);
  if (ra == 1 && rb == 1) return dot(a, b);
  // A vector is a matrix of one row or column, whose axis is dropped from the result.
  ValuePtr left = ra == 1 ? with_rank(a, DimVector{1, (*a->shape)[0]}) : a;
  ValuePtr right = rb == 1 ? with_rank(b, DimVector{(*b->shape)[0], 1}) : b;
  if (ra == 2 && rb == 1)
    check((*a->shape)[1] == (*b->shape)[0], "size mismatch, got input (", (*a->shape)[0], "), mat (", (*a->shape)[0],
          "x", (*a->shape)[1], "), vec (", (*b->shape)[0], ")");
  ValuePtr result = product(left, right);
  if (ra == 1 || rb == 1) {
    DimVector dims(result->shape->dims().begin(), result->shape->dims().end());
    if (rb == 1) dims.pop_back();
    if (ra == 1) dims.erase(dims.end() - (rb == 1 ? 1 : 2));
    return labelled(with_rank(result, dims), ra <= 2 && rb <= 2 ? (ra == 2 ? "Mv" : "Squeeze@4") : "UnsafeView");
  }
  return ra == 2 && rb == 2 ? result : labelled(result, ra == 3 && rb == 3 ? "Bmm" : "UnsafeView");
}

ValuePtr solve_triangle(const ValuePtr& a, const ValuePtr& b, bool upper, bool unit) {
  check(a->dtype == b->dtype && is_floating(a->dtype), "solve_triangle: expected real floats of one type, got ",
        scalar_name(a->dtype), " and ", scalar_name(b->dtype));
  const Dims of = a->shape->dims(), from = b->shape->dims();
  check(of.size() >= 2 && of.size() == from.size() && of.back() == of[of.size() - 2] &&
            std::equal(of.begin(), of.end() - 1, from.begin()),
        "solve_triangle: expected (..., n, n) and (..., n, m), got ", to_string(of, '[', ']'), " and ",
        to_string(from, '[', ']'));
  return build::solve_triangle(a, b, upper, false, unit);
}

ValuePtr mm(const ValuePtr& a, const ValuePtr& b) {
  check(a->shape->rank() == 2, "self must be a matrix");
  check(b->shape->rank() == 2, "mat2 must be a matrix");
  return matmul(a, b);
}

ValuePtr bmm(const ValuePtr& a, const ValuePtr& b) {
  check(a->shape->rank() == 3, "batch1 must be a 3D tensor");
  check(b->shape->rank() == 3, "batch2 must be a 3D tensor");
  check((*a->shape)[0] == (*b->shape)[0] && (*a->shape)[2] == (*b->shape)[1],
        "Expected size for first two dimensions of batch2 tensor to be: [", (*a->shape)[0], ", ", (*a->shape)[2],
        "] but got: [", (*b->shape)[0], ", ", (*b->shape)[1], "].");
  return matmul(a, b);
}

ValuePtr mv(const ValuePtr& a, const ValuePtr& b) {
  check(a->shape->rank() == 2 && b->shape->rank() == 1, "vector + matrix @ vector expected, got 1, ", a->shape->rank(),
        ", ", b->shape->rank());
  return matmul(a, b);
}

ValuePtr dot(const ValuePtr& a, const ValuePtr& b) {
  check(a->shape->rank() == 1 && b->shape->rank() == 1, "1D tensors expected, but got ", a->shape->rank(), "D and ",
        b->shape->rank(), "D tensors");
  check(a->shape == b->shape, "inconsistent tensor size, expected tensor ", to_string(a->shape->dims(), '[', ']'),
        " and src ", to_string(b->shape->dims(), '[', ']'), " to have the same number of elements");
  check(a->dtype == b->dtype, "dot : expected both vectors to have same dtype, but found ", scalar_name(a->dtype),
        " and ", scalar_name(b->dtype));
  ValuePtr rows = with_rank(a, DimVector{1, (*a->shape)[0]}), columns = with_rank(b, DimVector{(*b->shape)[0], 1});
  return labelled(with_rank(product(rows, columns), DimVector{}), "Dot");
}

namespace {
bool is_one(const Operand& number) { return number.as_double() == 1 && number.imaginary == 0; }
}  // namespace

ValuePtr addmm(const ValuePtr& input, const ValuePtr& a, const ValuePtr& b, const Operand& beta, const Operand& alpha) {
  check(a->shape->rank() == 2 && b->shape->rank() == 2, "mat1 and mat2 must be matrices, got ", a->shape->rank(),
        "-D and ", b->shape->rank(), "-D tensors");
  check_same_dtype("addmm", a, b);
  check_same_dtype("addmm", a, input);
  ValuePtr result = product(a, b);
  if (!is_one(alpha)) result = result * alpha.as(result->dtype);
  check(broadcast(input->shape, result->shape) == result->shape,
        "The expanded size of the tensor must match the existing "
        "size: input ",
        to_string(input->shape->dims(), '[', ']'), ", product ", to_string(result->shape->dims(), '[', ']'));
  // beta = 0 means that input is not read at all, whatever it holds.
  bool none = beta.as_double() == 0 && beta.imaginary == 0;
  if (!none) result = build::add(result, is_one(beta) ? input : input * beta.as(input->dtype));
  return labelled(result, "Addmm");
}

ValuePtr linear(const ValuePtr& x, const ValuePtr& weight, const ValuePtr& bias) {
  const Shape &in = *x->shape, &w = *weight->shape;
  check_linear(x, weight, bias);
  if (w.rank() == 1) {
    ValuePtr result = matmul(x, weight);
    return bias ? build::add(result, bias) : result;
  }
  if (in.rank() == 2) {
    ValuePtr result = product_with_weight(x, weight);
    return bias ? labelled(build::add(result, bias), "Addmm") : result;
  }
  // All leading axes as one, and apart again.
  std::int64_t last = in[in.rank() - 1], rows = 1;
  for (int axis = 0; axis + 1 < in.rank(); ++axis) rows *= in[axis];
  const bool of_features = bias && bias->shape->rank() <= 1;
  ValuePtr result = product_with_weight(with_rank(x, DimVector{rows, last}), weight);
  if (of_features) result = build::add(result, bias);
  result = with_rank(result, result_dims(x, weight));
  return bias && !of_features ? build::add(result, bias) : labelled(result, "View");
}

}  // namespace lamina::functions
