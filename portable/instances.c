/* Instances of the core: made as they are needed, kept for the next call, each in one call at a time.

   A call takes the first one that is free, so that a program with one thread has one, and a program
   with many as many as it makes calls at once. Each has a cache of its own. No lock is held while the
   core is at work: a signal handler may look names up in the middle of a lookup, jump out of it or end
   its thread. */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "pool.h"
#include "runtime.h"

#include "kernel.h"

/* A call that finds all of them busy waits so long, in seconds. */
#define PATIENCE 60

/* The program's own line for hosts. It is for the rest of the process's life, and its children's. */
static char *chosen_line;
static unsigned choices;

static int is_loaded;

/* ---- instances ---- */

/* Inside a way out. */
static struct instance *instance_make(struct slot *slot, struct pool *pool)
{
  struct instance *instance = slot->instance;
  if (instance == NULL) {
    /* Two threads that do it at once do the same. */
    if (!__atomic_load_n(&is_loaded, __ATOMIC_ACQUIRE)) {
      Z_rustdns_init_module();
      __atomic_store_n(&is_loaded, 1, __ATOMIC_RELEASE);
    }
    instance = calloc(1, sizeof *instance);
    if (instance == NULL)
      wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION);
    slot->instance = instance;
    instance->reloads = __atomic_load_n(&pool->reloads, __ATOMIC_ACQUIRE);
    instance->flushes = __atomic_load_n(&pool->flushes, __ATOMIC_ACQUIRE);
    instance->system.memory = &instance->core.w2c_memory;
    Z_rustdns_instantiate(&instance->core, &instance->system);
    Z_rustdnsZ_start(&instance->core);
  }
  return instance;
}

static void instance_discard(struct slot *slot)
{
  struct instance *instance = slot->instance;
  slot->instance = NULL;
  if (instance == NULL)
    return;
  Z_rustdns_free(&instance->core);
  free(instance);
}

/* Does what the other instances have done, or are to do too. */
static void instance_catch_up(struct instance *instance, struct pool *pool)
{
  unsigned reloads = __atomic_load_n(&pool->reloads, __ATOMIC_ACQUIRE);
  unsigned flushes = __atomic_load_n(&pool->flushes, __ATOMIC_ACQUIRE);
  unsigned chosen = __atomic_load_n(&choices, __ATOMIC_ACQUIRE);
  if (instance->choices != chosen) {
    const char *line = __atomic_load_n(&chosen_line, __ATOMIC_ACQUIRE);
    uint32_t length = (uint32_t)strlen(line), room = core_room(instance, length);
    if (room == 0)
      return;
    memcpy(core_octets(&instance->system, room, length), line, length);
    if (Z_rustdnsZ_choose_hosts_database(&instance->core, room, length) == 0)
      instance->choices = chosen;
  }
  if (instance->reloads != reloads && Z_rustdnsZ_reload(&instance->core) == 0) {
    instance->reloads = reloads;
    instance->flushes = flushes;
  }
  if (instance->flushes != flushes) {
    Z_rustdnsZ_flush(&instance->core);
    instance->flushes = flushes;
  }
}

/* ---- slots ---- */

/* The calling thread's number; asked for once, and again in a child. */
static int thread_number(const struct pool *pool)
{
  static __thread struct {
    const struct pool *pool;
    int number;
  } own;
  if (own.pool != pool) {
    own.number = (int)syscall(SYS_gettid);
    own.pool = pool;
  }
  return own.number;
}

static int slot_try(struct slot *slot, int owner, const char *frame)
{
  int none = 0;
  if (__atomic_load_n(&slot->owner, __ATOMIC_RELAXED) != 0 ||
      !__atomic_compare_exchange_n(&slot->owner, &none, owner, 0, __ATOMIC_SEQ_CST,
                                   __ATOMIC_RELAXED))
    return 0;
  __atomic_store_n(&slot->frame, frame, __ATOMIC_RELEASE);
  return 1;
}

static void slot_give_back(struct pool *pool, struct slot *slot)
{
  __atomic_store_n(&slot->frame, NULL, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->owner, 0, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&pool->waiting, __ATOMIC_SEQ_CST) != 0)
    futex_tell(&pool->freed);
}

static struct slot *slot_find(struct pool *pool, enum which which, int owner, const char *frame)
{
  int i, end = which == WALKER ? 1 : SLOTS;
  for (i = which == WALKER ? 0 : 1; i < end; i++)
    if (slot_try(&pool->slots[i], owner, frame))
      return &pool->slots[i];
  return NULL;
}

/* Closes what an instance has open that was left in the middle of its work, as far as it is still the same: the
   program may have closed it and have something else under its number. */
static void instance_close(struct instance *instance)
{
  struct Z_rustdns_sys_instance_t *system = &instance->system;
  while (system->open_count > 0) {
    int i = --system->open_count;
    if (system->known_by[i] != 0 && system_known_by(system->open[i]) == system->known_by[i])
      close(system->open[i]);
  }
}

/* A call that will never end has left a slot behind, and an instance in the middle of its work. */
static void slot_recover(struct pool *pool, struct slot *slot, const char *frame)
{
  /* Once, also where a signal handler comes in between. */
  if (__atomic_compare_exchange_n(&slot->frame, &frame, NULL, 0, __ATOMIC_ACQ_REL,
                                  __ATOMIC_RELAXED)) {
    if (slot->instance != NULL)
      instance_close(slot->instance);
    instance_discard(slot);
    slot_give_back(pool, slot);
  }
}

/* The thread's call with this frame was jumped out of (siglongjmp(3)): stacks grow downwards, and what
   is being called now stands where that frame was, or above it. Or a little below it, as functions differ; what a
   signal handler calls is at least the kernel's frame for the signal further down. */
int frame_is_left(const char *frame, const char *here)
{
  enum { LITTLE = 256 };
  stack_t alternate;
  int is_there, was_there;
  if (sigaltstack(NULL, &alternate) != 0)
    return 0;
  is_there = (alternate.ss_flags & SS_ONSTACK) != 0;
  was_there = (alternate.ss_flags & SS_DISABLE) == 0 && frame >= (char *)alternate.ss_sp &&
              frame < (char *)alternate.ss_sp + alternate.ss_size;
  return is_there == was_there ? frame <= here + LITTLE : was_there;
}

/* The slots of calls that this thread has jumped out of. */
static void recover_left(struct pool *pool, int thread, const char *here)
{
  int i;
  for (i = 0; i < SLOTS; i++) {
    struct slot *slot = &pool->slots[i];
    const char *frame;
    if (__atomic_load_n(&slot->owner, __ATOMIC_RELAXED) != thread)
      continue;
    frame = __atomic_load_n(&slot->frame, __ATOMIC_ACQUIRE);
    if (frame != NULL && frame_is_left(frame, here))
      slot_recover(pool, slot, frame);
  }
}

/* The slots of threads that have ended in the middle of a call: by pthread_exit(3) in a handler. */
static void recover_dead(struct pool *pool)
{
  int i;
  for (i = 0; i < SLOTS; i++) {
    struct slot *slot = &pool->slots[i];
    int owner = __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE);
    const char *frame = __atomic_load_n(&slot->frame, __ATOMIC_ACQUIRE);
    if (owner != 0 && frame != NULL && syscall(SYS_tgkill, getpid(), owner, 0) != 0 &&
        errno == ESRCH)
      slot_recover(pool, slot, frame);
  }
}

/* A free slot, after a while where there is none now; null where there was none all the time. */
static struct slot *slot_take(struct pool *pool, enum which which, const char *here)
{
  int thread = thread_number(pool), seconds;
  struct slot *slot;
  if (way_out_is_open())
    recover_left(pool, thread, here);
  slot = slot_find(pool, which, thread, here);
  for (seconds = 0; slot == NULL && seconds < PATIENCE;) {
    struct timespec limit = time_after(1, 0);
    int seen, result;
    recover_dead(pool);
    __atomic_add_fetch(&pool->waiting, 1, __ATOMIC_SEQ_CST);
    seen = __atomic_load_n(&pool->freed, __ATOMIC_ACQUIRE);
    slot = slot_find(pool, which, thread, here);
    result = slot != NULL ? 0 : futex_wait(&pool->freed, seen, &limit);
    __atomic_sub_fetch(&pool->waiting, 1, __ATOMIC_SEQ_CST);
    if (result != 0 && result != EINTR && result != ETIMEDOUT)
      poll(NULL, 0, 1000); /* futex(2) is forbidden */
    seconds += result != 0 && result != EINTR;
    if (slot == NULL)
      slot = slot_find(pool, which, thread, here);
  }
  return slot;
}

/* ---- work ---- */

static int slot_work(struct pool *pool, struct slot *slot, struct __res_state *state,
                     work_function *work, void *argument)
{
  struct way_out here;
  volatile int result;
  int reason;
  way_out_open(&here);
  reason = setjmp(here.target);
  if (reason == 0) {
    struct instance *instance = instance_make(slot, pool);
    instance->system.state = state;
    instance_catch_up(instance, pool);
    result = work(instance, argument);
  } else {
    struct instance *instance = slot->instance;
    while (instance != NULL && instance->system.open_count > 0)
      close(instance->system.open[--instance->system.open_count]);
    instance_discard(slot);
    result = reason == WASM_RT_TRAP_EXHAUSTION ? CORE_NO_MEMORY : CORE_BROKEN;
  }
  way_out_close(&here);
  return result;
}

/* Threads of our own are in no call. */
static const char *outermost_frame(void)
{
  const char *frame = entry_frame();
  return frame != NULL ? frame : __builtin_frame_address(0);
}

int with_core(enum which which, struct __res_state *state, work_function *work, void *argument)
{
  struct pool *pool = pool_get();
  struct slot *slot = pool == NULL ? NULL : slot_take(pool, which, outermost_frame());
  int result;
  if (slot == NULL)
    return CORE_NO_MEMORY;
  result = slot_work(pool, slot, state, work, argument);
  slot_give_back(pool, slot);
  return result;
}

/* ---- what is for all instances ---- */

void core_visit(work_function *work, void *argument)
{
  struct pool *pool = pool_get();
  int i, thread = pool == NULL ? 0 : thread_number(pool);
  for (i = 0; pool != NULL && i < SLOTS; i++)
    if (slot_try(&pool->slots[i], thread, outermost_frame())) {
      if (pool->slots[i].instance != NULL)
        slot_work(pool, &pool->slots[i], NULL, work, argument);
      slot_give_back(pool, &pool->slots[i]);
    }
}

void core_reload_all(struct instance *done_by)
{
  struct pool *pool = pool_get();
  /* The instance that is at work does it itself, right now. */
  if (pool != NULL && environment_reload(pool))
    done_by->reloads = __atomic_add_fetch(&pool->reloads, 1, __ATOMIC_ACQ_REL);
}

void core_flush_all(void)
{
  struct pool *pool = pool_get();
  if (pool != NULL)
    __atomic_add_fetch(&pool->flushes, 1, __ATOMIC_ACQ_REL);
}

int core_choose_all(const char *line)
{
  char *copy = text_copy(line);
  if (copy == NULL)
    return 0;
  /* What was chosen before is not freed: another thread may be reading it. */
  __atomic_store_n(&chosen_line, copy, __ATOMIC_RELEASE);
  __atomic_add_fetch(&choices, 1, __ATOMIC_ACQ_REL);
  return 1;
}
