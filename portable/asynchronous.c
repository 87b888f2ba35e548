/* getaddrinfo_a, gai_suspend, gai_error and gai_cancel (getaddrinfo_a(3)). */

#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "requests.h"

#include "kernel.h"

static struct group *group_make(int waits, const struct sigevent *event)
{
  struct group *group = calloc(1, sizeof *group);
  if (group == NULL)
    return NULL;
  group->holders = 1;
  group->process = getpid();
  group->event.sigev_notify = SIGEV_NONE;
  if (!waits && event != NULL)
    memcpy(&group->event, event, sizeof group->event);
  group->is_told = group->event.sigev_notify != SIGEV_NONE;
  return group;
}

static int submit(int waits, struct gaicb *list[], int count, struct sigevent *event,
                  int32_t *core_errno)
{
  struct table *table = requests_table();
  struct group *group = group_make(waits, event);
  struct request *request;
  sigset_t before;
  int i, refused = 0;
  if (table == NULL || group == NULL) {
    free(group);
    for (i = 0; i < count; i++)
      if (list[i] != NULL)
        request_end(list[i], EAI_AGAIN, NULL);
    return EAI_AGAIN;
  }
  requests_lock(table, &before);
  for (i = 0; i < count; i++)
    if (list[i] != NULL && !request_accept(table, list[i], group, waits)) {
      request_end(list[i], EAI_AGAIN, NULL);
      refused++;
    }
  while (waits && (request = request_waiting(table, group)) != NULL)
    request_perform(table, request, &before);
  while (waits && group->remaining > 0) {
    int seen = table->ended;
    requests_unlock(table, &before);
    futex_wait(&table->ended, seen, NULL);
    requests_lock(table, &before);
  }
  group->holders = 0;
  if (group->remaining > 0)
    group = NULL; /* the last of its requests ends it */
  requests_unlock(table, &before);
  group_finish(group);
  *core_errno = EAGAIN;
  return refused == 0 ? 0 : EAI_SYSTEM;
}

EXPORT int getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *event)
{
  struct entry entry;
  int32_t core_errno = EINVAL;
  int code = EAI_SYSTEM;
  entry_begin(&entry);
  if (mode == GAI_WAIT || mode == GAI_NOWAIT)
    code = submit(mode == GAI_WAIT, list, count, event, &core_errno);
  if (code == EAI_SYSTEM)
    entry_end_with(&entry, core_errno);
  else
    entry_end(&entry);
  return code;
}

/* Under the lock: how many of the blocks are under way. */
static int count_pending(const struct table *table, const struct gaicb *const list[], int count)
{
  const struct request *request;
  int i, found = 0;
  for (i = 0; i < count; i++)
    for (request = table->first; request != NULL && list[i] != NULL; request = request->next)
      found += request->block == list[i];
  return found;
}

EXPORT int gai_suspend(const struct gaicb *const list[], int count, const struct timespec *timeout)
{
  struct table *table = requests_table();
  struct timespec limit, given = {0, 0};
  struct entry entry;
  sigset_t before;
  int pending, result = 0;
  if (table == NULL)
    return EAI_MEMORY;
  entry_begin(&entry);
  if (timeout != NULL)
    memcpy(&given, timeout, sizeof given);
  limit = given.tv_sec < 0 ? time_after(0, 0) : time_after(given.tv_sec, given.tv_nsec);
  requests_lock(table, &before);
  pending = count_pending(table, list, count);
  while (pending > 0 && result == 0 && count_pending(table, list, count) == pending) {
    int seen = table->ended;
    requests_unlock(table, &before);
    result = futex_wait(&table->ended, seen, timeout == NULL ? NULL : &limit);
    requests_lock(table, &before);
  }
  if (count_pending(table, list, count) != pending)
    result = 0;
  requests_unlock(table, &before);
  entry_end(&entry);
  if (pending == 0)
    return EAI_ALLDONE;
  return result == 0 ? 0 : result == EINTR ? EAI_INTR : EAI_AGAIN;
}

EXPORT int gai_error(struct gaicb *block)
{
  int code = __atomic_load_n(&block->__return, __ATOMIC_ACQUIRE);
  if (code == EAI_INPROGRESS && block->__glibc_reserved[0] == MARK &&
      block->__glibc_reserved[1] != (int)getpid())
    return EAI_CANCELED; /* a parent's: nobody works on it here */
  return code;
}

EXPORT int gai_cancel(struct gaicb *block)
{
  struct table *table = requests_table();
  struct request *request;
  sigset_t before;
  int error = errno, found = 0;
  if (table == NULL)
    return EAI_ALLDONE;
  for (;;) {
    struct group *ended;
    requests_lock(table, &before);
    for (request = table->first; request != NULL; request = request->next)
      if (request->block != NULL && (block == NULL || request->block == block))
        break;
    if (request == NULL)
      break;
    found = 1;
    request_end(request->block, EAI_CANCELED, NULL);
    request->block = NULL;
    ended = group_less(request->group, 0);
    request->group = NULL;
    if (!request->is_running) {
      request_unlink(table, request);
      request_free(request);
    }
    futex_tell(&table->ended);
    requests_unlock(table, &before);
    group_finish(ended);
  }
  requests_unlock(table, &before);
  errno = error;
  return found ? EAI_CANCELED : EAI_ALLDONE;
}
