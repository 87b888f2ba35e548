/* The outermost frame of what programs call: errno, cancellation, and the core's memory. */

#include <errno.h>
#include <poll.h>

#include "portable.h"

/* A cancellation point, where GNU libc has it by a name that no program may take. */
#ifdef __GLIBC__
extern int __poll(struct pollfd *, nfds_t, int);
#define CANCELLATION_POINT __poll
#else
#define CANCELLATION_POINT poll
#endif

/* The thread's first call under way, and how the thread could be cancelled before. One that is jumped out of
   (siglongjmp(3)) never puts that back: the thread's next call does. */
static __thread struct {
  const char *frame;
  int cancellation, cancellation_type;
} first;

/* The call that began last. */
static __thread const char *current;

const char *entry_frame(void)
{
  return current;
}

/* An asynchronous cancellation comes by a signal, and glibc's handler does not ask whether cancellation
   is off: it acts in whatever system call the thread is in then. One that is on its way is waited for by
   every cancellation point. */
void entry_begin_at(struct entry *entry, const char *frame)
{
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &entry->cancellation_type);
  if (entry->cancellation_type != PTHREAD_CANCEL_DEFERRED)
    CANCELLATION_POINT(NULL, 0, 0);
  pthread_testcancel();
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &entry->cancellation);
  entry->error_number = errno;
  entry->frame = frame;
  entry->frame_before = current;
  current = frame;
  if (first.frame != NULL && frame_is_left(first.frame, frame)) {
    if (entry->cancellation == PTHREAD_CANCEL_DISABLE)
      entry->cancellation = first.cancellation;
    if (entry->cancellation_type == PTHREAD_CANCEL_DEFERRED)
      entry->cancellation_type = first.cancellation_type;
    first.frame = NULL;
  }
  if (first.frame == NULL) {
    first.cancellation = entry->cancellation;
    first.cancellation_type = entry->cancellation_type;
    first.frame = frame;
  }
}

void entry_end(struct entry *entry)
{
  if (first.frame == entry->frame)
    first.frame = NULL;
  current = entry->frame_before;
  errno = entry->error_number;
  pthread_setcancelstate(entry->cancellation, NULL);
  /* Acts on what is pending only now, and so with the right result (glibc 2.36 forgets it above). */
  if (entry->cancellation_type != PTHREAD_CANCEL_DEFERRED)
    pthread_setcanceltype(entry->cancellation_type, NULL);
}

void entry_end_with(struct entry *entry, int32_t core_errno)
{
  entry->error_number = system_errno(core_errno);
  entry_end(entry);
}

uint32_t core_room(struct instance *instance, size_t length)
{
  return length < UINT32_MAX ? Z_rustdnsZ_room(&instance->core, (uint32_t)length) : 0;
}

uint8_t *core_octets(struct Z_rustdns_sys_instance_t *system, uint32_t place, uint32_t length)
{
  if (length > system->memory->size || place > system->memory->size - length)
    wasm_rt_trap(WASM_RT_TRAP_OOB);
  return system->memory->data + place;
}

struct reply core_reply(struct instance *instance)
{
  uint64_t where = Z_rustdnsZ_reply(&instance->core);
  uint32_t length = (uint32_t)where;
  struct reply reply;
  reply.next = core_octets(&instance->system, (uint32_t)(where >> 32), length);
  reply.end = reply.next + length;
  return reply;
}

const uint8_t *reply_raw(struct reply *reply, size_t length)
{
  const uint8_t *octets = reply->next;
  if (length > (size_t)(reply->end - reply->next))
    wasm_rt_trap(WASM_RT_TRAP_OOB);
  reply->next += length;
  return octets;
}

uint32_t reply_number(struct reply *reply)
{
  uint32_t number;
  memcpy(&number, reply_raw(reply, sizeof number), sizeof number);
  return number;
}

const uint8_t *reply_octets(struct reply *reply, uint32_t *length)
{
  *length = reply_number(reply);
  return reply_raw(reply, *length);
}
