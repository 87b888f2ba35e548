/* The library under its own names: rustdns.h says what each does. Those that libc has too are in
   addrinfo.c. */

#define _GNU_SOURCE
#include <errno.h>

#include "portable.h"
#include "rustdns.h"

EXPORT const char *rustdns_gai_strerror(int code)
{
  return gai_strerror(code);
}

/* The other instances do it before their next calls. */
static int reload(struct instance *instance, void *argument)
{
  (void)argument;
  core_reload_all(instance);
  return (int)Z_rustdnsZ_reload(&instance->core);
}

EXPORT int rustdns_reload(void)
{
  struct entry entry;
  int code;
  entry_begin(&entry);
  code = eai_code(with_core(ANY, NULL, reload, NULL));
  entry_end(&entry);
  return code;
}

EXPORT void rustdns_cache_flush(void)
{
  struct entry entry;
  entry_begin(&entry);
  core_flush_all();
  entry_end(&entry);
}

/* Behind its size the structure has only numbers of one kind. */
enum { COUNTERS = sizeof(struct rustdns_statistics) / sizeof(size_t) - 1 };

/* Adds an instance's numbers. */
static int count(struct instance *instance, void *argument)
{
  size_t *sums = argument;
  struct reply reply;
  int i;
  if (Z_rustdnsZ_statistics(&instance->core) != 0)
    return 0;
  reply = core_reply(instance);
  for (i = 0; i < COUNTERS; i++)
    sums[i] += reply_number(&reply);
  return 0;
}

EXPORT int rustdns_stats(struct rustdns_statistics *stats)
{
  struct rustdns_statistics now;
  struct entry entry;
  size_t room, sums[COUNTERS] = {0};
  memcpy(&room, stats, sizeof room);
  if (room < sizeof room)
    return EAI_OVERFLOW;
  entry_begin(&entry);
  core_visit(count, sums);
  entry_end(&entry);
  now.size = room < sizeof now ? room : sizeof now;
  memcpy((char *)&now + sizeof now.size, sums, sizeof sums);
  memcpy(stats, &now, now.size);
  memset((char *)stats + now.size, 0, room - now.size);
  return 0;
}

EXPORT int rustdns_set_log(rustdns_log function, void *context)
{
  struct listener *listener = NULL;
  int error = errno;
  if (function != NULL) {
    listener = malloc(sizeof *listener);
    errno = error;
    if (listener == NULL)
      return EAI_MEMORY;
    listener->function = function;
    listener->context = context;
  }
  /* The one before is not freed: a lookup may be telling it a line. */
  __atomic_store_n(&system_listener, listener, __ATOMIC_RELEASE);
  return 0;
}

EXPORT const char *rustdns_version(void)
{
  return RUSTDNS_VERSION;
}
