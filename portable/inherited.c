/* The little that outlives a fork, and an instance: files that a child may not be able to read, and what tells
   a _res that was filled by us from one that a program has filled. */

#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>

#include "system.h"

#include "kernel.h"

/* ---- files ---- */

struct content {
  uint64_t root[2]; /* device and inode of the root directory */
  size_t path_length, length;
  uint8_t octets[]; /* the path, then the text */
};

static struct content *contents[3];

/* The process that has them in hand; 0: none. A child takes over what a thread of its parent's had: a place changes
   by one store. */
static int busy;

static int contents_take(void)
{
  int own = (int)getpid(), turns;
  for (turns = 0; turns < 10000; turns++) {
    int found = __atomic_load_n(&busy, __ATOMIC_RELAXED);
    if (found != own && __atomic_compare_exchange_n(&busy, &found, own, 0, __ATOMIC_ACQUIRE,
                                                    __ATOMIC_RELAXED))
      return 1;
    syscall(SYS_sched_yield);
  }
  return 0; /* in a signal handler, of the thread that has them */
}

static void contents_give_back(void)
{
  __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

static int read_root(uint64_t root[2])
{
  struct stat status;
  if (stat("/", &status) != 0)
    return 0;
  root[0] = status.st_dev;
  root[1] = status.st_ino;
  return 1;
}

u32 SYS(content_keep)(sys_t *sys, u32 number, u32 path, u32 path_length, u32 text, u32 length)
{
  const uint8_t *name = core_octets(sys, path, path_length);
  const uint8_t *octets = core_octets(sys, text, length);
  struct content *fresh = malloc(sizeof *fresh + path_length + length), *old = NULL;
  if (fresh == NULL)
    return 0;
  fresh->path_length = path_length;
  fresh->length = length;
  memcpy(fresh->octets, name, path_length);
  memcpy(fresh->octets + path_length, octets, length);
  if (number < sizeof contents / sizeof *contents && read_root(fresh->root) && contents_take()) {
    old = __atomic_exchange_n(&contents[number], fresh, __ATOMIC_ACQ_REL);
    contents_give_back();
  } else {
    old = fresh;
  }
  free(old);
  return 1;
}

u32 SYS(content_kept)(sys_t *sys, u32 number, u32 path, u32 path_length, u32 place, u32 room)
{
  const uint8_t *name = core_octets(sys, path, path_length);
  uint8_t *to = core_octets(sys, place, room);
  const struct content *kept;
  uint64_t root[2];
  u32 result = (u32)-1;
  if (number >= sizeof contents / sizeof *contents || !read_root(root) || !contents_take())
    return result;
  kept = __atomic_load_n(&contents[number], __ATOMIC_ACQUIRE);
  if (kept != NULL && memcmp(kept->root, root, sizeof root) == 0 &&
      kept->path_length == path_length && memcmp(kept->octets, name, path_length) == 0) {
    result = (u32)kept->length;
    if (result <= room)
      memcpy(to, kept->octets + path_length, result);
  }
  contents_give_back();
  return result;
}

/* ---- versions of _res ---- */

/* The last fingerprints, in halves: not every machine has atomic numbers of 64 bits. Two that are written at once
   only make an unchanged _res be read again. Zero is none. */
#define VERSIONS 256
static uint32_t versions[VERSIONS][2];
static unsigned versions_next;

u32 SYS(version_is_known)(sys_t *sys, u64 fingerprint)
{
  int i;
  (void)sys;
  for (i = 0; fingerprint != 0 && i < VERSIONS; i++)
    if (__atomic_load_n(&versions[i][0], __ATOMIC_RELAXED) == (uint32_t)(fingerprint >> 32) &&
        __atomic_load_n(&versions[i][1], __ATOMIC_RELAXED) == (uint32_t)fingerprint)
      return 1;
  return 0;
}

void SYS(version_add)(sys_t *sys, u64 fingerprint)
{
  unsigned at;
  if (SYS(version_is_known)(sys, fingerprint))
    return;
  at = __atomic_fetch_add(&versions_next, 1, __ATOMIC_RELAXED) % VERSIONS;
  __atomic_store_n(&versions[at][0], (uint32_t)(fingerprint >> 32), __ATOMIC_RELAXED);
  __atomic_store_n(&versions[at][1], (uint32_t)fingerprint, __ATOMIC_RELAXED);
}
