/* Instances of the core: made as they are needed, kept for the next call, each in one call at a time.

   A call takes the first one that is free, so that a program with one thread has one, and a program
   with many as many as it makes calls at once. Each has a cache of its own.

   All of it hangs on one page that a fork wipes: a child starts with instances of its own, without
   its parent's locks and numbers. Where the kernel knows no such pages (before 4.14) the process id
   tells parent and child apart. */

#define _GNU_SOURCE
#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "portable.h"
#include "runtime.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

/* Calls that run side by side, at most; more wait for one another. Slot 0 is the hosts file's walker. */
#ifndef RUSTDNS_INSTANCES
#define RUSTDNS_INSTANCES 32
#endif
#define SLOTS (RUSTDNS_INSTANCES + 1)
/* A call that finds all of them busy waits so long, in seconds. */
#define PATIENCE 60

struct slot {
  int busy;
  struct instance *instance;
};

/* What a process has. */
struct pool {
  pid_t process; /* 0 where the page tells */
  struct slot slots[SLOTS];
  unsigned reloads, flushes;
  pthread_mutex_t mutex; /* for what follows */
  pthread_cond_t freed;
  int waiting;
  char *environment; /* NAME=value, each ended by NUL, and one NUL more */
};

struct page {
  struct pool *current;
};

static struct page *page;
/* The last pool, never read: leak checkers look for owners here, and don't in mapped pages. */
static struct pool *latest __attribute__((used));

/* The program's own line for hosts. It is for the rest of the process's life, and its children's. */
static char *chosen_line;
static unsigned choices;

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* ---- the environment ---- */

static int is_ours(const char *entry)
{
  static const char *const names[] = {"LOCALDOMAIN=", "RES_OPTIONS=", "HOSTALIASES=", "RUSTDNS_"};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (strncmp(entry, names[i], strlen(names[i])) == 0)
      return 1;
  return 0;
}

/* A copy of the variables that matter, none in a setuid process; null where there is no memory. */
static char *environment_read(void)
{
  size_t length = 1;
  char **entry, *copy, *end;
  int is_trusted = environ != NULL && getauxval(AT_SECURE) == 0;
  for (entry = environ; is_trusted && *entry != NULL; entry++)
    if (is_ours(*entry))
      length += strlen(*entry) + 1;
  copy = end = malloc(length);
  if (copy == NULL)
    return NULL;
  for (entry = environ; is_trusted && *entry != NULL; entry++) {
    size_t size = strlen(*entry) + 1;
    if (is_ours(*entry) && size < length - (size_t)(end - copy)) {
      memcpy(end, *entry, size);
      end += size;
    }
  }
  *end = '\0';
  return copy;
}

/* ---- the process's pool ---- */

static struct page *page_map(void)
{
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  struct page *fresh = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct page *first = NULL;
  if (fresh == MAP_FAILED)
    return NULL;
  madvise(fresh, size, MADV_WIPEONFORK);
  if (__atomic_compare_exchange_n(&page, &first, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return fresh;
  munmap(fresh, size); /* another thread was first */
  return first;
}

/* Advised twice the kernel takes the advice again, and refuses it where it is unknown. Who takes an
   advice that no kernel knows takes any and follows none (qemu before 8.0). */
static int is_wiped(struct page *at)
{
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  return madvise(at, size, MADV_WIPEONFORK) == 0 && madvise(at, size, INT32_MAX) != 0;
}

static struct pool *pool_make(struct page *at)
{
  struct pool *pool = calloc(1, sizeof *pool);
  pthread_condattr_t monotonic;
  if (pool == NULL)
    return NULL;
  if (!is_wiped(at))
    pool->process = getpid();
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&pool->freed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pool->environment = environment_read();
  if (pool->environment == NULL) {
    free(pool);
    return NULL;
  }
  return pool;
}

/* This process's pool; null where there is no memory for one. A parent's stays in its children's
   memory, untouched. */
static struct pool *pool_get(void)
{
  struct page *at = __atomic_load_n(&page, __ATOMIC_ACQUIRE);
  struct pool *pool, *fresh;
  if (at == NULL && (at = page_map()) == NULL)
    return NULL;
  pool = __atomic_load_n(&at->current, __ATOMIC_ACQUIRE);
  if (pool != NULL && (pool->process == 0 || pool->process == getpid()))
    return pool;
  fresh = pool_make(at);
  if (fresh == NULL)
    return NULL;
  if (__atomic_compare_exchange_n(&at->current, &pool, fresh, 0, __ATOMIC_ACQ_REL,
                                  __ATOMIC_ACQUIRE)) {
    latest = fresh;
    return fresh;
  }
  free(fresh->environment);
  free(fresh);
  return pool;
}

/* ---- slots ---- */

static int slot_try(struct slot *slot)
{
  return __atomic_load_n(&slot->busy, __ATOMIC_RELAXED) == 0 &&
         __atomic_exchange_n(&slot->busy, 1, __ATOMIC_SEQ_CST) == 0;
}

static struct slot *slot_find(struct pool *pool, enum which which)
{
  int i;
  if (which == WALKER)
    return slot_try(&pool->slots[0]) ? &pool->slots[0] : NULL;
  for (i = 1; i < SLOTS; i++)
    if (slot_try(&pool->slots[i]))
      return &pool->slots[i];
  return NULL;
}

/* A free slot, after a while where there is none now; null where there was none all the time. */
static struct slot *slot_take(struct pool *pool, enum which which)
{
  struct slot *slot = slot_find(pool, which);
  struct timespec limit;
  if (slot != NULL)
    return slot;
  clock_gettime(CLOCK_MONOTONIC, &limit);
  limit.tv_sec += PATIENCE;
  pthread_mutex_lock(&pool->mutex);
  __atomic_add_fetch(&pool->waiting, 1, __ATOMIC_SEQ_CST);
  while ((slot = slot_find(pool, which)) == NULL)
    if (pthread_cond_timedwait(&pool->freed, &pool->mutex, &limit) != 0) {
      slot = slot_find(pool, which);
      break;
    }
  __atomic_sub_fetch(&pool->waiting, 1, __ATOMIC_SEQ_CST);
  pthread_mutex_unlock(&pool->mutex);
  return slot;
}

static void slot_give_back(struct pool *pool, struct slot *slot)
{
  __atomic_store_n(&slot->busy, 0, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&pool->waiting, __ATOMIC_SEQ_CST) != 0) {
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->freed);
    pthread_mutex_unlock(&pool->mutex);
  }
}

/* ---- instances ---- */

/* Inside a way out. */
static struct instance *instance_make(struct slot *slot, struct pool *pool)
{
  struct instance *instance = slot->instance;
  if (instance == NULL) {
    pthread_once(&prepared, Z_rustdns_init_module);
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
  while (instance->system.open_count > 0)
    close(instance->system.open[--instance->system.open_count]);
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
    instance_discard(slot);
    result = reason == WASM_RT_TRAP_EXHAUSTION ? CORE_NO_MEMORY : CORE_BROKEN;
  }
  way_out_close(&here);
  return result;
}

int with_core(enum which which, struct __res_state *state, work_function *work, void *argument)
{
  struct pool *pool = pool_get();
  struct slot *slot = pool == NULL ? NULL : slot_take(pool, which);
  int result;
  if (slot == NULL)
    return CORE_NO_MEMORY;
  result = slot_work(pool, slot, state, work, argument);
  slot_give_back(pool, slot);
  return result;
}

void core_visit(work_function *work, void *argument)
{
  struct pool *pool = pool_get();
  int i;
  for (i = 0; pool != NULL && i < SLOTS; i++)
    if (slot_try(&pool->slots[i])) {
      if (pool->slots[i].instance != NULL)
        slot_work(pool, &pool->slots[i], NULL, work, argument);
      slot_give_back(pool, &pool->slots[i]);
    }
}

void core_reload_all(struct instance *done_by)
{
  struct pool *pool = pool_get();
  char *fresh = environment_read(), *old;
  if (pool == NULL || fresh == NULL)
    return;
  pthread_mutex_lock(&pool->mutex);
  old = pool->environment;
  pool->environment = fresh;
  pthread_mutex_unlock(&pool->mutex);
  free(old);
  /* The instance that is at work does it itself, right now. */
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
  char *copy = strdup(line);
  if (copy == NULL)
    return 0;
  /* What was chosen before is not freed: another thread may be reading it. */
  __atomic_store_n(&chosen_line, copy, __ATOMIC_RELEASE);
  __atomic_add_fetch(&choices, 1, __ATOMIC_ACQ_REL);
  return 1;
}

int environment_copy(const char *name, uint32_t name_length, uint8_t *place, uint32_t room)
{
  struct pool *pool = pool_get();
  int length = -1;
  const char *entry;
  if (pool == NULL)
    return -1;
  pthread_mutex_lock(&pool->mutex);
  for (entry = pool->environment; *entry != '\0'; entry += strlen(entry) + 1)
    if (strncmp(entry, name, name_length) == 0 && entry[name_length] == '=') {
      const char *value = entry + name_length + 1;
      length = (int)strlen(value);
      if ((uint32_t)length <= room)
        memcpy(place, value, (size_t)length);
      break;
    }
  pthread_mutex_unlock(&pool->mutex);
  return length;
}
