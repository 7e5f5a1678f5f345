// What is noted of every run of a plan while a profile is on. At most one is, of all threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "compile/plan_cache.h"
#include "graph/tape.h"
#include "runtime/step_times.h"

namespace lamina::engine {

// A program that ran: a plan, and the scope of each value (graph/scope.h). What an optimizer records has no module: it
// takes the path of its first operand that has one, mostly that of the gradient.
struct ProfiledProgram {
  CompiledPlanPtr compiled;
  std::vector<std::uint32_t> scopes;
};

// Times are StepTimes::now().
struct ProfiledRun {
  std::uint32_t program;
  std::uint32_t thread;  // that flushed; from 1 on
  std::int64_t flush;    // flush_count() when it began
  bool compiles;         // the plan was not in the cache
  std::int64_t began, planned, accounted, ended;
  std::vector<runtime::StepTimes::Span> steps;
};

class Profile {
 public:
  const std::vector<ProfiledProgram>& programs() const { return programs_; }
  const std::vector<ProfiledRun>& runs() const { return runs_; }
  const std::vector<std::int64_t>& calls() const { return calls_; }  // of modules, by path

 private:
  friend class RunRecorder;
  friend void keep_result(const ValuePtr& value);
  friend std::vector<ValuePtr> take_dropped(const Tape& tape);
  friend void start_profile();
  using Key = std::pair<const CompiledPlan*, std::vector<std::uint32_t>>;

  std::vector<ProfiledProgram> programs_;
  std::map<Key, std::uint32_t> numbers_;
  std::vector<ProfiledRun> runs_;
  std::vector<std::int64_t> calls_;
  std::vector<ValuePtr> results_;  // that may be dropped
};

inline std::shared_ptr<Profile> g_profile;
inline bool profiling() { return g_profile != nullptr; }

// Raises if a profile is on. Flush before and after: what was recorded meanwhile runs meanwhile.
void start_profile();
std::shared_ptr<const Profile> stop_profile();

// A result that is to be computed with the program that it is in, even if nobody looks.
void keep_result(const ValuePtr& value);
// Those of the tape that nobody else holds or reads. Others are as live as they are without a profile.
std::vector<ValuePtr> take_dropped(const Tape& tape);

// The calling thread's number, from 1 on.
std::uint32_t thread_number();

// One run, from the look for its plan on; noted in the profile when this goes. The rest of a run that broke off has it.
class RunRecorder {
 public:
  explicit RunRecorder(std::int64_t flush);
  void note_plan(const CompiledPlanPtr& compiled, const Recording& recording, const Liveness& liveness);
  // The flush ends here. A run that broke off, or pauses, ends with the last of its steps.
  void note_end() { run_.ended = runtime::StepTimes::now(); }
  ~RunRecorder();
  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;

  runtime::StepTimes times;

 private:
  std::shared_ptr<Profile> profile_;
  std::int64_t plans_;  // compiled before
  ProfiledRun run_{};
};

}  // namespace lamina::engine
