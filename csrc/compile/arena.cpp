// Free blocks, and those that wait to be free. Test: tests/cpp/test_assign_memory.cpp.
#include "compile/arena.h"

#include "compile/resting_memory.h"

namespace lamina {

namespace {

constexpr std::int64_t kMostWaiting = 1 << 20;  // bytes that nobody reads any more, of each kind

std::int64_t rounded(std::size_t bytes) {
  return (static_cast<std::int64_t>(bytes) + Arena::kAlignment - 1) / Arena::kAlignment * Arena::kAlignment;
}

}  // namespace

void Arena::come_to(std::size_t step) {
  step_ = step;
  while (!resting_.empty() && (resting_.begin()->first <= step || resting_bytes_ > kMostWaiting))
    free_resting(resting_.begin());
  for (auto kept = kept_.begin(); kept != kept_.end();) {
    const auto here = kept++;
    while (!here->second.empty() && here->second.front().until <= step) free_oldest(here);
    if (here->second.empty()) kept_.erase(here);
  }
}

std::int64_t Arena::take(std::size_t asked) {
  const std::int64_t bytes = rounded(asked);
  const auto kept = kept_.find(bytes);
  if (kept == kept_.end() || kept->second.empty()) return take_free(bytes);
  const std::int64_t start = kept->second.back().start;
  kept->second.pop_back();
  kept_bytes_ -= bytes;
  return start;
}

void Arena::give_back(std::int64_t start, std::size_t given, std::size_t until) {
  const std::int64_t bytes = rounded(given);
  if (until > step_) {
    resting_.insert({until, {start, bytes}});
    resting_bytes_ += bytes;
  } else if (given <= RestingMemory::kMostBytes && kept_bytes_ + bytes <= kMostWaiting) {
    kept_[bytes].push_back({start, step_ + RestingMemory::kSteps});
    kept_bytes_ += bytes;
  } else {
    free(start, bytes);
  }
}

void Arena::free_resting(std::multimap<std::size_t, Block>::iterator block) {
  free(block->second.start, block->second.bytes);
  resting_bytes_ -= block->second.bytes;
  resting_.erase(block);
}

void Arena::free_oldest(std::map<std::int64_t, std::deque<Ended>>::iterator kept) {
  free(kept->second.front().start, kept->first);
  kept_bytes_ -= kept->first;
  kept->second.pop_front();
}

std::map<std::int64_t, std::int64_t>::iterator Arena::smallest_that_fits(std::int64_t bytes) {
  auto best = free_.end();
  for (auto block = free_.begin(); block != free_.end(); ++block)
    if (block->second >= bytes && (best == free_.end() || block->second < best->second)) best = block;
  return best;
}

std::int64_t Arena::take_free(std::int64_t bytes) {
  auto best = smallest_that_fits(bytes);
  if (best == free_.end() && bytes > static_cast<std::int64_t>(RestingMemory::kMostBytes)) {
    // Nothing small is worth large memory.
    for (auto kept = kept_.begin(); kept != kept_.end(); ++kept)
      while (!kept->second.empty()) free_oldest(kept);
    best = smallest_that_fits(bytes);
  }
  if (best == free_.end()) {
    // The last block may be grown.
    std::int64_t start = size_;
    if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == size_) {
      start = free_.rbegin()->first;
      free_.erase(start);
    }
    size_ = start + bytes;
    return start;
  }
  auto [start, length] = *best;
  free_.erase(best);
  if (length > bytes) free_[start + bytes] = length - bytes;
  return start;
}

void Arena::free(std::int64_t start, std::int64_t bytes) {
  auto next = free_.lower_bound(start);
  if (next != free_.end() && start + bytes == next->first) {
    bytes += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == start) {
      before->second += bytes;
      return;
    }
  }
  free_[start] = bytes;
}

}  // namespace lamina
