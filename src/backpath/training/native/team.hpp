// Threads that work on one task together, using only atomic numbers in shared memory.
//
// The task is a sequence of phases, each of independent units. A free thread takes the next unit, and the thread
// that finishes the last unit of a phase opens the next phase. So no thread waits for one that is late or never arrives,
// and the schedule does not affect the numbers.
#pragma once
#include "codes.hpp"
#include "lanes.hpp"

constexpr int64_t PATIENCE = 4000;  // polls before a waiting thread yields its core

// One atomic number holds the phase, its number of units, and the next unit to take.
struct Ticket {
  int64_t number;
  INLINE int64_t phase() const { return number >> 48 & 0xffff; }
  INLINE int64_t units() const { return number >> 24 & 0xffffff; }
  INLINE int64_t unit() const { return number & 0xffffff; }
};

INLINE void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

template <class T> INLINE T atomic_load(const T& place) { return __atomic_load_n(&place, __ATOMIC_ACQUIRE); }

INLINE void open_phase(Team& team, int64_t phase, int64_t units) {
  __atomic_store_n(&team.done, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&team.ticket, (phase & 0xffff) << 48 | units << 24, __ATOMIC_RELEASE);
}

INLINE bool is_over(const Team& team, Ticket seen) {
  int64_t looks = 0;
  while (!atomic_load(team.finished) && Ticket{atomic_load(team.ticket)}.phase() == seen.phase()) {
    if (team.patient && looks < PATIENCE) looks++, pause();
    else ((void (*)())team.give_way)();
  }
  return atomic_load(team.finished);
}

// Runs a task: `unit(k, member)` for each of the `units()` of a phase, then `advance()` to the next phase, which returns
// false at the end. The first phase is already open.
template <class Task> void work_together(Team& team, Task& task) {
  int64_t member = __atomic_fetch_add(&team.members, 1, __ATOMIC_RELAXED);
  for (;;) {
    Ticket drawn{__atomic_fetch_add(&team.ticket, 1, __ATOMIC_ACQ_REL)};
    if (drawn.unit() >= drawn.units()) {
      if (is_over(team, drawn)) return;
      continue;
    }
    task.unit(drawn.unit(), member);
    if (__atomic_add_fetch(&team.done, 1, __ATOMIC_ACQ_REL) < drawn.units()) continue;
    if (!task.advance()) return __atomic_store_n(&team.finished, 1, __ATOMIC_RELEASE);
    open_phase(team, drawn.phase() + 1, task.units());
  }
}

template <class Task> void work_alone(Task& task) {
  do {
    for (int64_t k = 0, units = task.units(); k < units; k++) task.unit(k, 0);
  } while (task.advance());
}
