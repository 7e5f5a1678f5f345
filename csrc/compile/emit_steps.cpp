// Pass: turns nodes into steps, in an order in which every operand is ready.
#include <algorithm>
#include <span>

#include "compile/emitter.h"
#include "compile/iteration_space.h"
#include "compile/passes.h"

namespace lamina {

namespace {

// Who reads what from memory.
struct Readers {
  std::vector<bool> stored;                // results that must be in memory: looked at from outside, or by another step
  std::vector<std::uint32_t> only_reader;  // of a node's memory; kNone or kSeveral if there is not just one
  static constexpr std::uint32_t kSeveral = kNone - 1;
};

Readers find_readers(const Program& program) {
  const std::size_t count = program.nodes.size();
  Readers found{std::vector<bool>(count), std::vector<std::uint32_t>(count, kNone)};
  for (std::uint32_t index = 0; index < count; ++index) {
    const Node& node = program[index];
    if (!node.needed) continue;
    if (node.live) found.stored[node.owner] = true;
    if (node.kind != Node::Kind::kOp) continue;
    if (node.owner != index) {  // another look at memory reads nothing; who reads it does
      if (node.live) found.only_reader[node.owner] = Readers::kSeveral;
      continue;
    }
    visit_read(node, [&](std::uint32_t operand) {
      const Node& source = program[operand];
      bool in_register =
          source.owner == operand && source.group != kNone && (source.group == node.group || source.recomputed);
      if (in_register) return;
      found.stored[source.owner] = true;
      std::uint32_t& reader = found.only_reader[source.owner];
      reader = reader == kNone ? index : Readers::kSeveral;
    });
  }
  return found;
}

// Whether an operand of a cat is its owner, or that with an axis of one element where parts are joined, as in a stack.
bool is_as_made(const Program& program, std::uint32_t operand, std::size_t axis) {
  const Node& part = program[operand];
  if (part.owner == operand) return true;
  if (!part.is_op(Op::reshape) || part.operands[0] != part.owner || part.shape->dims()[axis] != 1) return false;
  DimVector dims(part.shape->dims().begin(), part.shape->dims().end());
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  return program[part.owner].shape == Shape::of(dims);
}

// Results of elementwise passes that are only read to be a part of something are made there.
void place_parts(Program& program, const Readers& readers) {
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    const Node& whole = program[index];
    if (!whole.is_op(Op::cat) || !whole.needed) continue;
    const auto axis = static_cast<std::size_t>((*whole.attribute)[0]);
    const std::int64_t stride = contiguous_strides(whole.shape)[axis];
    std::int64_t start = 0;
    for (std::uint32_t operand : whole.operands) {
      Node& part = program[program[operand].owner];
      const bool elementwise = part.kind == Node::Kind::kOp && part.group != kNone && part.family() != Family::kReduce;
      if (elementwise && is_as_made(program, operand, axis) && !part.live && !part.recomputed &&
          part.shape->numel() > 0 && readers.only_reader[program[operand].owner] == index) {
        part.part_of = index;
        part.place = start * stride;
      }
      start += program[operand].shape->dims()[axis];
    }
  }
}

}  // namespace

void emit_steps(Program& program, const std::vector<std::vector<std::uint32_t>>& groups, Plan& plan, bool with_notes) {
  plan.inputs = program.inputs;
  plan.scalars = program.scalars;
  const Readers readers = find_readers(program);
  place_parts(program, readers);
  Emitter emitter(program, plan, with_notes);
  auto count = static_cast<std::uint32_t>(program.nodes.size());  // emitting appends temporaries
  for (std::uint32_t index = 0; index < count; ++index) {
    const Node& node = program[index];
    if (node.kind != Node::Kind::kOp || !node.needed || node.owner != index) continue;
    if (node.group != kNone && groups[node.group].back() != index) continue;
    const std::uint32_t made = node.made_by == kNone ? index : node.made_by, at = program[made].affine.at;
    if (at != kNone ? at != index : made != index) continue;
    std::vector<std::uint32_t> alone{made};
    if (node.epilogue.updated != kNone) alone.push_back(node.epilogue.updated);
    const std::vector<std::uint32_t>& members = node.group == kNone ? alone : groups[node.group];
    std::size_t before = plan.steps.size();
    if (node.group == kNone)
      emitter.emit(made);
    else
      emitter.emit_group(members, readers.stored);
    if (plan.steps.size() == before) {  // nothing to compute, or its parts are made where they belong
      for (std::uint32_t operand : node.operands)
        if (const Node& part = program[program[operand].owner]; part.part_of == index) program[index].step = part.step;
      continue;
    }
    for (std::uint32_t member : members)
      if (program[member].step == kNone) program[member].step = static_cast<std::uint32_t>(plan.steps.size() - 1);
  }
}

void Emitter::add(Step step, std::string note, double nanoseconds) {
  plan_.steps.push_back(std::move(step));
  plan_.notes.push_back(std::move(note));
  plan_.nanoseconds.push_back(static_cast<float>(30 + nanoseconds));
  plan_.estimated_nanoseconds += 30 + nanoseconds;
}

Location Emitter::location(std::uint32_t index, std::int64_t extra_elements) const {
  const Node& node = program_[index];
  auto size = static_cast<std::int64_t>(size_of(node.dtype));
  return {node.owner, (node.layout.offset + extra_elements) * size};
}

Location Emitter::temporary(const Shape* shape, DType dtype) {
  Node node{};
  node.kind = Node::Kind::kOp;
  node.op = static_cast<OpId>(Op::clone);
  node.dtype = dtype;
  node.shape = shape;
  node.needed = true;
  node.owner = static_cast<std::uint32_t>(program_.nodes.size());
  program_.nodes.push_back(std::move(node));
  return {static_cast<std::uint32_t>(program_.nodes.size() - 1), 0};
}

void Emitter::copy(Location from, DimVector dims, DimVector from_strides, Location to, DimVector to_strides,
                   DType dtype) {
  std::int64_t numel = 1;
  for (std::int64_t size : dims) numel *= size;
  if (numel == 0) return;
  DimVector* const both[] = {&from_strides, &to_strides};
  collapse(dims, both);
  auto size = static_cast<std::uint8_t>(size_of(dtype));
  add(CopyStep{std::move(dims), std::move(from_strides), std::move(to_strides), size, from, to},
      note("copy ", name_of(dtype), " x ", numel), 0.5 * static_cast<double>(numel));
}

void Emitter::copy(std::uint32_t from, const Shape* space, Location to, DimVector to_strides) {
  const Node& node = program_[from];
  if (to_strides.empty()) to_strides = contiguous_strides(space);
  DimVector dims(space->dims().begin(), space->dims().end());
  copy(location(from), std::move(dims), broadcast_strides(space, node.shape, node.layout), to, std::move(to_strides),
       node.dtype);
}

Location Emitter::contiguous(std::uint32_t index) {
  const Shape* shape = program_[index].shape;
  if (!program_[index].layout.strides) return location(index);
  Location place = temporary(shape, program_[index].dtype);
  copy(index, shape, place);
  return place;
}

namespace {

// exp and its kin, which stand together in the kernel list: an element takes twice the time of a sum.
bool is_function(Elementwise kernel) { return kernel >= Elementwise::exp && kernel <= Elementwise::i1e; }

double nanoseconds_of(const ElementwiseStep& step, std::size_t operations) {
  double each = 0.3 * static_cast<double>(operations);
  for (const auto& instruction : step.instructions)
    if (instruction.kind == ElementwiseStep::Instruction::Kind::kKernel && is_function(instruction.kernel)) each += 0.3;
  return each * static_cast<double>(step.numel);
}

std::span<const std::uint32_t> operands_of(const Node& node, const Computed& computed) {
  if (!computed.by_compound && !computed.summed) return node.operands;
  return {computed.operands.data(), computed.arity};
}

// Where only compounds read them, a few copies of what repeats do.
void find_few(ElementwiseStep& step) {
  for (auto& entry : step.registers) entry.few = true;
  for (const auto& instruction : step.instructions)
    if (instruction.kind != ElementwiseStep::Instruction::Kind::kCompound)
      for (std::size_t k = 0; k < instruction.arity; ++k) step.registers[instruction.in[k]].few = false;
  for (const auto& reduction : step.reductions) {
    bool may_repeat = reduction.arity > 1 && reduction.of == SumOf::squared_differences;  // the last operand
    for (std::size_t k = 0; k + may_repeat < std::max<std::size_t>(reduction.arity, 1); ++k)
      step.registers[reduction.in[k]].few = false;
  }
}

// strides: one vector a register, empty where the kind says it all.
void set_dims(ElementwiseStep& step, const Shape* space, std::vector<DimVector> strides) {
  step.dims.assign(space->dims().begin(), space->dims().end());
  DimVector order = contiguous_strides(space);
  std::vector<DimVector*> walked{&order};
  for (DimVector& own : strides)
    if (!own.empty()) walked.push_back(&own);
  collapse(step.dims, walked);
  for (std::size_t i = 0; i < strides.size(); ++i) step.registers[i].strides = std::move(strides[i]);
}

}  // namespace

void Emitter::find_last_readers(const std::vector<std::uint32_t>& members, const std::vector<Computed>& computed) {
  last_reader_.resize(program_.nodes.size());
  for (std::size_t i = 0; i < members.size(); ++i)
    if (!computed[i].within)
      for (std::uint32_t operand : operands_of(program_[members[i]], computed[i])) last_reader_[operand] = members[i];
  for (std::size_t i = 0; i < members.size(); ++i)  // a reduction reads when all instructions have run
    if (program_[members[i]].family() == Family::kReduce)
      for (std::uint32_t operand : operands_of(program_[members[i]], computed[i])) last_reader_[operand] = kNone;
}

std::string Emitter::note_of_group(const std::vector<std::uint32_t>& members) const {
  std::string note = text("elementwise ", to_string(program_[members[0]].shape->dims(), '[', ']'), ":");
  for (std::uint32_t member : members) {
    const Node& node = program_[member];
    note += text(" ", row(node.op).name);
    if (node.family() == Family::kCast) note += text("(", name_of(node.dtype), ")");
  }
  return note;
}

void Emitter::emit_group(const std::vector<std::uint32_t>& members, const std::vector<bool>& stored) {
  using Kind = ElementwiseStep::Kind;
  const Shape* space = program_[members[0]].shape;
  ElementwiseStep step{};
  step.numel = space->numel();
  if (step.numel == 0) return;
  // A register for each operand and result; results' tiles are reused after the instruction that reads them last.
  std::vector<std::uint32_t> register_nodes;
  std::vector<DimVector> strides;
  std::vector<std::uint16_t> free_tiles;
  auto new_tile = [&] {
    if (free_tiles.empty()) return step.tiles++;
    std::uint16_t tile = free_tiles.back();
    free_tiles.pop_back();
    return tile;
  };
  auto register_of = [&](std::uint32_t index) {
    for (std::size_t i = 0; i < register_nodes.size(); ++i)
      if (register_nodes[i] == index) return static_cast<std::uint16_t>(i);
    const Node& node = program_[index];
    DimVector own = broadcast_strides(space, node.shape, node.layout);
    ElementwiseStep::Register entry{};
    entry.element_size = static_cast<std::uint8_t>(size_of(node.dtype));
    entry.location = location(index);
    entry.kind = is_contiguous(space->dims(), own) ? Kind::kContiguous
                 : is_uniform(space->dims(), own)  ? Kind::kUniform
                                                   : Kind::kStrided;
    if (entry.kind != Kind::kContiguous) entry.tile = step.tiles++;  // filled from outside: not shared
    step.registers.push_back(entry);
    register_nodes.push_back(index);
    strides.push_back(entry.kind == Kind::kStrided ? std::move(own) : DimVector());
    return static_cast<std::uint16_t>(step.registers.size() - 1);
  };
  std::vector<Computed> computed = find_compounds(program_, members, stored);
  find_sums(members, stored, computed);
  find_last_readers(members, computed);
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::uint32_t member = members[i];
    const Node& node = program_[member];
    if (computed[i].within) continue;
    const std::span<const std::uint32_t> operands = operands_of(node, computed[i]);
    if (node.family() == Family::kReduce) {
      std::uint16_t from[kMostTerms]{};
      for (std::size_t k = 0; k < operands.size(); ++k) from[k] = register_of(operands[k]);
      ElementwiseStep::Reduction& reduction = add_reduction(step, member);
      std::copy(std::begin(from), std::end(from), reduction.in);
      if (computed[i].summed)
        reduction.arity = static_cast<std::uint8_t>(operands.size()), reduction.of = computed[i].sum_of;
      continue;
    }
    ElementwiseStep::Instruction instruction{};
    instruction.kind = computed[i].by_compound          ? ElementwiseStep::Instruction::Kind::kCompound
                       : node.family() == Family::kCast ? ElementwiseStep::Instruction::Kind::kCast
                                                        : ElementwiseStep::Instruction::Kind::kKernel;
    instruction.kernel = static_cast<Elementwise>(row(node.op).kernel.member);
    instruction.compound = computed[i].compound;
    instruction.dtype = program_[operands.back()].dtype;
    instruction.to = node.dtype;
    instruction.arity = static_cast<std::uint8_t>(operands.size());
    for (std::size_t k = 0; k < operands.size(); ++k) instruction.in[k] = register_of(operands[k]);
    ElementwiseStep::Register result{};
    result.element_size = static_cast<std::uint8_t>(size_of(node.dtype));
    DimVector own;
    result.kind = stored[member] ? Kind::kContiguous : Kind::kTemporary;
    result.location = location(member);
    if (node.part_of != kNone) {
      result.location = location(node.part_of, node.place);
      const Node& whole = program_[node.part_of];
      own = contiguous_strides(whole.shape);
      if (whole.shape->rank() > node.shape->rank())  // a stack's
        own.erase(own.begin() + static_cast<std::ptrdiff_t>((*whole.attribute)[0]));
      if (!is_contiguous(space->dims(), own)) result.kind = Kind::kScattered;
    }
    if (result.kind == Kind::kTemporary) result.tile = new_tile();
    if (result.kind == Kind::kScattered) result.tile = step.tiles++;  // kept until all instructions have run
    for (std::size_t k = 0; k < operands.size(); ++k) {
      bool repeated = std::find(operands.begin(), operands.begin() + k, operands[k]) != operands.begin() + k;
      const auto& entry = step.registers[instruction.in[k]];
      if (entry.kind == Kind::kTemporary && last_reader_[operands[k]] == member && !repeated)
        free_tiles.push_back(entry.tile);
    }
    instruction.out = static_cast<std::uint16_t>(step.registers.size());
    step.registers.push_back(result);
    register_nodes.push_back(member);
    strides.push_back(result.kind == Kind::kScattered ? std::move(own) : DimVector());
    step.instructions.push_back(instruction);
  }
  find_few(step);
  set_dims(step, space, std::move(strides));
  const double nanoseconds = nanoseconds_of(step, members.size());
  add(std::move(step), with_notes_ ? note_of_group(members) : std::string(), nanoseconds);
}

}  // namespace lamina
