// Test: tests/cpp/test_account_steps.cpp.
#include "compile/account_steps.h"

#include "compile/step_accesses.h"

namespace lamina {

namespace {

std::int64_t product_of(const std::int64_t (&pair)[2]) { return pair[0] * pair[1]; }
std::int64_t product_of(const std::int64_t (&sizes)[3]) { return sizes[0] * sizes[1] * sizes[2]; }
std::int64_t product_of(const DimVector& dims) {
  std::int64_t product = 1;
  for (std::int64_t size : dims) product *= size;
  return product;
}
constexpr std::int64_t kIndex = sizeof(std::int64_t);

// Of kinds that find_accesses does not look at.
std::int64_t touched(const ScanStep& step, std::int64_t size) { return 2 * step.outer * step.n * step.inner * size; }
std::int64_t touched(const ArgsortStep& step, std::int64_t size) {
  return step.rows * (step.n * size + step.count * kIndex);
}
std::int64_t touched(const SearchStep& step, std::int64_t size) {
  return step.rows * (step.length * size + step.count * (size + kIndex));
}
std::int64_t touched(const SolveTriangleStep& step, std::int64_t size) {
  return step.matrices * step.n * ((step.n + 1) / 2 + 2 * step.m) * size;
}
std::int64_t touched(const FourierStep& step, std::int64_t size) {
  return step.outer * step.inner * size * (step.in_places * step.in_parts() + step.out_places * step.out_parts());
}
std::int64_t touched(const ConvolutionStep& step, std::int64_t size) {
  return size * (step.images * (step.channels * product_of(step.x_size) + step.out * product_of(step.y_size)) +
                 step.out * step.channels / step.groups * product_of(step.window));
}
std::int64_t touched(const MaxPoolStep& step, std::int64_t size) {
  return step.planes * (product_of(step.x_size) * size + product_of(step.y_size) * kIndex);
}
std::int64_t touched(const WindowSumsStep& step, std::int64_t size) {
  return step.planes * (product_of(step.in_size) + product_of(step.out_size)) * size;
}
std::int64_t touched(const ExtendStep& step, std::int64_t size) {
  return step.planes * (product_of(step.x_size) + product_of(step.y_size)) * size;
}
std::int64_t touched(const IndexStep& step, std::int64_t size) { return product_of(step.dims) * (kIndex + 2 * size); }
std::int64_t touched(const RowsStep& step, std::int64_t size) { return step.count * (kIndex + 2 * step.row * size); }
std::int64_t touched(const WeighedStep& step, std::int64_t size) {
  return step.batch *
         (step.outer * (step.places + step.count) * step.inner * size + step.count * step.taps * (kIndex + size));
}
std::int64_t touched(const RandomStep& step, std::int64_t size) { return step.n * size; }

std::int64_t bytes_touched(const Step& step) {
  std::int64_t bytes = 0;
  std::vector<Access> accesses;
  if (find_accesses(step, 0, accesses)) {
    for (const Access& access : accesses) bytes += access.end - access.begin;
    return bytes;
  }
  return std::visit(
      [](const auto& one) -> std::int64_t {
        if constexpr (requires { touched(one, 0); })
          return touched(one, static_cast<std::int64_t>(size_of(one.dtype)));
        else
          return 0;
      },
      step);
}

// Operations on elements; for products multiply-adds.
double work_of(const Program& program, const Node& node) {
  const auto made = static_cast<double>(node.shape->numel());
  if (node.operands.empty()) return made;
  const Shape* first = program[node.operands[0]].shape;
  if (node.is_op(Op::matmul)) {
    const bool turned = (*node.attribute)[0] != 0;
    return made * static_cast<double>((*first)[first->rank() - (turned ? 2 : 1)]);
  }
  return node.family() == Family::kReduce ? static_cast<double>(first->numel()) : made;
}

// By node: of results that have memory of their own when the plan has run.
std::vector<std::int64_t> find_kept(const Program& program, const Plan& plan) {
  std::vector<std::uint32_t> node_of(program.values);
  const std::uint32_t recorded = program.inputs + program.scalars + program.values;
  for (std::uint32_t index = 0; index < recorded; ++index)
    if (program[index].kind == Node::Kind::kOp) node_of[program[index].slot] = index;
  std::vector<std::int64_t> kept(program.nodes.size());
  for (const Program::Result& result : program.results)
    if (result.memory >= plan.first_output())
      kept[program[node_of[result.value]].owner] =
          static_cast<std::int64_t>(plan.output_bytes[result.memory - plan.first_output()]);
  return kept;
}

}  // namespace

std::vector<std::uint32_t> find_makers(const Program& unfused, const Program& program) {
  const auto count = static_cast<std::uint32_t>(unfused.nodes.size());
  std::vector<std::uint32_t> reader(count, kNone);  // of nodes that were absorbed: their only one
  for (std::uint32_t index = 0; index < count; ++index)
    if (unfused[index].needed)
      for (std::uint32_t operand : unfused[index].operands) reader[operand] = index;
  std::vector<std::uint32_t> makers(count, kNone);
  for (std::uint32_t index = 0; index < count; ++index) {
    if (program[index].kind != Node::Kind::kOp || !unfused[index].needed) continue;
    std::uint32_t at = index;
    while (at != kNone && !program[at].needed) at = reader[at];
    makers[index] = at != kNone && program[at].made_by != kNone ? program[at].made_by : at;
  }
  return makers;
}

std::vector<StepAccount> account_steps(const Program& unfused, const Program& program, const Plan& plan) {
  std::vector<StepAccount> steps(plan.steps.size());
  const std::vector<std::uint32_t> makers = find_makers(unfused, program);
  const std::vector<std::int64_t> kept = find_kept(program, plan);
  std::vector<double> work(steps.size());
  for (std::uint32_t index = 0; index < makers.size(); ++index) {
    const std::uint32_t step = makers[index] == kNone ? kNone : program[makers[index]].step;
    const Node& node = unfused[index];
    const bool looks = shares_memory(program[index]) && makers[index] != index;  // within what absorbed it
    if (step == kNone || looks) continue;
    const double own = work_of(unfused, node);
    work[step] += own;
    std::vector<const Shape*> operands;
    for (std::uint32_t operand : node.operands) operands.push_back(unfused[operand].shape);
    steps[step].members.push_back({node.slot, node.op, static_cast<float>(own), kept[index], std::move(operands)});
  }
  const auto lend = [](const std::vector<StepAccount::Member>*& from, StepAccount& to) {
    if (to.members.empty() && from) {
      to.members = *from;
      for (StepAccount::Member& member : to.members) member.kept = 0;
    }
    if (!to.members.empty()) from = &to.members;
  };
  const std::vector<StepAccount::Member>*next = nullptr, *last = nullptr;
  for (std::size_t step = steps.size(); step-- > 0;) {
    StepAccount& account = steps[step];
    account.note = plan.notes[step];
    account.bytes = bytes_touched(plan.steps[step]);
    for (StepAccount::Member& member : account.members)
      member.share = work[step] > 0 ? static_cast<float>(member.share / work[step])
                                    : 1 / static_cast<float>(account.members.size());
    lend(next, account);
  }
  for (StepAccount& account : steps) lend(last, account);  // a part of a result, whose other parts are made before
  return steps;
}

}  // namespace lamina
