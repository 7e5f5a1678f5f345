// Rows of the registry: what concerns the engine as a whole.
#include "bindings/exchange.h"
#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "compile/plan_cache.h"
#include "engine/flush.h"
#include "engine/transposed_copy.h"
#include "functions/operand.h"
#include "graph/scope.h"
#include "graph/tape.h"
#include "kernels/table.h"
#include "ops/table.h"
#include "runtime/buffer.h"
#include "runtime/thread_pool.h"
#include "support/check.h"

namespace lamina::bindings {

LAMINA_FUNCTION(kModule, flush, "") {
  engine::flush();
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, describe_pending, "") { return PyUnicode_FromString(engine::describe_pending().c_str()); }
// For benchmarks/contenders/with_lamina.py.
LAMINA_FUNCTION(kModule, _find_pending_plan, "anew") {
  engine::find_pending_plan(a.flag(0, false));
  Py_RETURN_NONE;
}

// The whole program that is pending, whatever tensor asks: that is what runs when somebody looks at one.
LAMINA_FUNCTION(kModule, _explain_pending, "input=None") {
  bool pending = !a.given(0) || Tape::current().is_pending(a.tensor(0).get());
  return PyUnicode_FromString(pending ? engine::explain_pending().c_str() : "this tensor has its numbers\n");
}
LAMINA_FUNCTION(kModule, pending_count, "") { return PyLong_FromSize_t(Tape::current().recording().values.size()); }

LAMINA_FUNCTION(kModule, plan_stats, "") {
  PlanCacheStats stats = plan_cache_stats();
  return checked(Py_BuildValue("{s:L,s:L,s:L,s:L}", "compiled", static_cast<long long>(stats.compiled), "hits",
                               static_cast<long long>(stats.hits), "flushes",
                               static_cast<long long>(engine::flush_count()), "cached",
                               static_cast<long long>(stats.cached)));
}
LAMINA_FUNCTION(kModule, memory_stats, "") {
  runtime::MemoryStats stats = runtime::memory_stats();
  return checked(Py_BuildValue("{s:L,s:n,s:n,s:n,s:n}", "live_values", static_cast<long long>(live_value_count()),
                               "live_bytes", static_cast<Py_ssize_t>(stats.live_bytes), "peak_bytes",
                               static_cast<Py_ssize_t>(stats.peak_bytes), "reserved_bytes",
                               static_cast<Py_ssize_t>(stats.reserved_bytes), "live_buffers",
                               static_cast<Py_ssize_t>(stats.live_buffers)));
}
LAMINA_FUNCTION(kModule, empty_cache, "") {
  engine::drop_transposed_copies();
  runtime::empty_cache();
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, reset_peak_memory_stats, "") {
  runtime::reset_peak_bytes();
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, set_num_threads, "count") {
  std::int64_t count = a.integer(0);
  check(count >= 1, "set_num_threads expects a positive integer, got ", count);
  runtime::set_num_threads(static_cast<int>(count));
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, get_num_threads, "") { return PyLong_FromLong(runtime::num_threads()); }
// For tests/python/single_threaded.py.
LAMINA_FUNCTION(kModule, _second_thread_count, "") {
  return PyLong_FromUnsignedLongLong(runtime::second_thread_count());
}
LAMINA_FUNCTION(kModule, isa, "") { return PyUnicode_FromString(kernels::table().isa); }

LAMINA_FUNCTION(kModule, current_scope_path, "") { return PyUnicode_FromString(scope_path(current_scope()).c_str()); }

LAMINA_FUNCTION_AS(kModule, promote_types, "promote_types", "type1, type2") {
  auto first = a.dtype(0), second = a.dtype(1);
  if (!first || !second) a.fail_type(first ? 1 : 0, kDTypeText);
  return Object::borrowed(dtype_object(functions::promote(*first, *second))).release();
}
LAMINA_FUNCTION(kModule, result_type, "tensor1, tensor2") {
  return Object::borrowed(dtype_object(functions::result_type({a.operand(0), a.operand(1)}))).release();
}
LAMINA_FUNCTION(kModule, get_default_dtype, "") {
  return Object::borrowed(dtype_object(functions::default_float())).release();
}
LAMINA_FUNCTION(kModule, set_default_dtype, "d") {
  auto dtype = a.dtype(0);
  if (!dtype || !is_floating(*dtype))
    fail(ErrorKind::kType, "only floating-point types are supported as the default type");
  functions::set_default_float(*dtype);
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, can_cast, "from_, to") {
  auto from = a.dtype(0), to = a.dtype(1);
  if (!from || !to) a.fail_type(from ? 1 : 0, kDTypeText);
  return PyBool_FromLong(functions::can_cast(*from, *to));
}

// The op table's rows, for tests and documentation.
LAMINA_FUNCTION(kModule, op_table, "") {
  static const char* const kFamilies[] = {
      "elementwise", "cast",    "reduce",      "rowwise",   "standardize",    "standardize_input", "scan",
      "argsort",     "search",  "fourier",     "matmul",    "solve_triangle", "convolution",       "max_pool",
      "window_sums", "extend",  "view",        "rebase",    "copy",           "slice_update",      "cat",
      "gather",      "scatter", "scatter_add", "take_rows", "put_rows",       "weighed",           "random"};
  static_assert(std::size(kFamilies) == static_cast<std::size_t>(Family::kRandom) + 1);
  Object list(checked(PyList_New(0)));
  for (OpId op = kFirstOp; op < static_cast<OpId>(Op::kEnd); ++op) {
    const OpRow& entry = row(op);
    Object item(checked(Py_BuildValue("{s:s,s:i,s:O,s:s}", "name", entry.name, "arity", static_cast<int>(entry.arity),
                                      "differentiable", entry.gradient ? Py_True : Py_False, "kernel",
                                      kFamilies[static_cast<std::size_t>(entry.kernel.family)])));
    checked(PyList_Append(list.get(), item.get()));
  }
  return list.release();
}

}  // namespace lamina::bindings
