// Threads for backward passes that are nested too deeply for one.
#include "bindings/nested_walks.h"

#include <pthread.h>

#include <cstdint>
#include <exception>
#include <thread>

#include "bindings/registry.h"
#include "graph/scope.h"
#include "ops/record.h"
#include "runtime/thread_pool.h"

namespace lamina::bindings {

namespace {

// Python allows a thread 1,000 frames by default, and a function's gradient takes a handful.
constexpr int kMostNested = 60;
constexpr int kMostThreads = 100;  // what recurses without an end is to end in a RecursionError
thread_local int t_nested = 0;
thread_local int t_threads = 0;  // on which the walks wait that this thread's are within
thread_local bool t_threads_allowed = true;

constexpr std::uintptr_t kReserve = 1 << 20;  // a walk and what Python does in it take tens of kilobytes of stack

// The lowest address of the thread's stack; 0 if the system does not say.
std::uintptr_t stack_end() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  void* end = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &end, &size);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<std::uintptr_t>(end);
}

bool stack_is_short() {
  thread_local const std::uintptr_t end = stack_end();
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < end + kReserve;
}

struct Nested {
  Nested() { ++t_nested; }
  ~Nested() { --t_nested; }
};

// The caller waits, so that the order is what it would be on one thread. Its modes go along.
void run_on_own_thread(const std::function<void()>& walk) {
  std::exception_ptr failure;
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  bool gradients = grad_enabled(), inference = inference_mode();
  std::uint32_t scope = current_scope();
  int threads = t_threads + 1;
  PyThreadState* waiting = PyEval_SaveThread();
  runtime::note_second_thread();
  std::thread thread([&] {
    PyGILState_STATE lock = PyGILState_Ensure();
    set_grad_enabled(gradients);
    set_inference_mode(inference);
    enter_scope(scope);
    t_threads = threads;
    try {
      run_nested(walk);
    } catch (...) {
      failure = std::current_exception();
      PyErr_Fetch(&type, &value, &trace);  // each thread has its own
    }
    PyGILState_Release(lock);
  });
  thread.join();
  PyEval_RestoreThread(waiting);
  if (type) PyErr_Restore(type, value, trace);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void run_nested(const std::function<void()>& walk) {
  bool is_short = t_nested > 0 && stack_is_short();
  if ((t_nested >= kMostNested || is_short) && t_threads < kMostThreads && t_threads_allowed)
    return run_on_own_thread(walk);
  if (is_short) {
    PyErr_SetString(PyExc_RecursionError, "backward passes are nested more deeply than the thread's stack holds");
    throw PythonError{};
  }
  Nested one_more;
  walk();
}

LAMINA_FUNCTION(kModule, _set_multithreading_enabled, "enabled") {
  t_threads_allowed = a.flag(0, true);
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, is_multithreading_enabled, "") { return PyBool_FromLong(t_threads_allowed); }

}  // namespace lamina::bindings
