/* What a process has, and the environment that it began with.

   All of it hangs on one page that a fork wipes: a child starts with instances of its own, without
   its parent's locks and numbers. Where the kernel knows no such pages (before 4.14) the process id
   tells parent and child apart. */

#define _GNU_SOURCE
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pool.h"

#include "kernel.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

struct page {
  struct pool *current;
};

static struct page *page;
/* The last one, for leak checkers: they look for owners here, and don't in mapped pages. */
static struct pool *latest;

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
static struct environment *environment_read(void)
{
  size_t length = 1;
  struct environment *copy;
  char **entry, *end;
  int is_trusted = environ != NULL && getauxval(AT_SECURE) == 0;
  for (entry = environ; is_trusted && *entry != NULL; entry++)
    if (is_ours(*entry))
      length += strlen(*entry) + 1;
  copy = malloc(sizeof *copy + length);
  if (copy == NULL)
    return NULL;
  end = copy->text;
  for (entry = environ; is_trusted && *entry != NULL; entry++) {
    size_t size = strlen(*entry) + 1;
    if (is_ours(*entry) && size < length - (size_t)(end - copy->text)) {
      memcpy(end, *entry, size);
      end += size;
    }
  }
  *end = '\0';
  copy->before = NULL;
  copy->length = (size_t)(end - copy->text);
  return copy;
}

int environment_reload(struct pool *pool)
{
  struct environment *fresh = environment_read();
  struct environment *old = __atomic_load_n(&pool->environment, __ATOMIC_ACQUIRE);
  if (fresh == NULL)
    return 0;
  do {
    if (old->length == fresh->length && memcmp(old->text, fresh->text, old->length) == 0) {
      free(fresh);
      return 1;
    }
    fresh->before = old;
  } while (!__atomic_compare_exchange_n(&pool->environment, &old, fresh, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
  return 1;
}

int environment_copy(const char *name, uint32_t name_length, uint8_t *place, uint32_t room)
{
  struct pool *pool = pool_get();
  const char *entry;
  if (pool == NULL)
    return -1;
  entry = __atomic_load_n(&pool->environment, __ATOMIC_ACQUIRE)->text;
  for (; *entry != '\0'; entry += strlen(entry) + 1)
    if (strncmp(entry, name, name_length) == 0 && entry[name_length] == '=') {
      const char *value = entry + name_length + 1;
      int length = (int)strlen(value);
      if ((uint32_t)length <= room)
        memcpy(place, value, (size_t)length);
      return length;
    }
  return -1;
}

/* ---- the pool ---- */

static size_t page_size(void)
{
  size_t size = getauxval(AT_PAGESZ);
  return size != 0 ? size : 65536;
}

static struct page *page_map(void)
{
  size_t size = page_size();
  struct page *fresh = kernel_map(size);
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
  size_t size = page_size();
  return madvise(at, size, MADV_WIPEONFORK) == 0 && madvise(at, size, INT32_MAX) != 0;
}

static struct pool *pool_make(struct page *at)
{
  struct pool *pool = calloc(1, sizeof *pool);
  if (pool == NULL)
    return NULL;
  /* Before anything else: a child that is forked now has it too. */
  pool->before = __atomic_load_n(&latest, __ATOMIC_ACQUIRE);
  while (!__atomic_compare_exchange_n(&latest, &pool->before, pool, 0, __ATOMIC_ACQ_REL,
                                      __ATOMIC_ACQUIRE))
    ;
  pool->environment = environment_read();
  if (!is_wiped(at))
    pool->process = getpid();
  return pool;
}

/* Where another thread was first, or there is no memory for all of it. It stays in the list where one
   came after it. */
static void pool_unmake(struct pool *pool)
{
  struct pool *expected = pool;
  free(pool->environment);
  pool->environment = NULL;
  if (__atomic_compare_exchange_n(&latest, &expected, pool->before, 0, __ATOMIC_ACQ_REL,
                                  __ATOMIC_ACQUIRE))
    free(pool);
}

/* A parent's pool stays in its children's memory, untouched: a child that was forked in the middle of
   a call may go on with that. */
struct pool *pool_get(void)
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
  if (fresh->environment != NULL &&
      __atomic_compare_exchange_n(&at->current, &pool, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return fresh;
  if (fresh->environment == NULL)
    pool = NULL;
  pool_unmake(fresh);
  return pool;
}
