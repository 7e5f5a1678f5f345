// What a plan's steps are made of, for profiles: whose work each one does, and how many bytes it touches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compile/program.h"

namespace lamina {

struct StepAccount {
  struct Member {
    std::uint32_t value;  // position among the recording's values
    OpId op;
    float share;        // of the step's work: operations on elements, multiply-adds; all members' come to 1
    std::int64_t kept;  // bytes of its result, if that has memory of its own that outlives the plan
    std::vector<const Shape*> operands;
  };
  std::string note;             // as in the plan
  std::int64_t bytes;           // read and written
  std::vector<Member> members;  // one without its own, as a copy for the next, has that one's
};

struct PlanAccount {
  Program program;  // as recorded
  std::vector<StepAccount> steps;
};

// The node whose step computes each recorded node: itself, or what absorbed it; kNone if nobody needs it.
// unfused: the program after drop_dead_values.
std::vector<std::uint32_t> find_makers(const Program& unfused, const Program& program);

std::vector<StepAccount> account_steps(const Program& unfused, const Program& program, const Plan& plan);

}  // namespace lamina
