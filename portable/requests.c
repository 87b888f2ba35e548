/* The requests of getaddrinfo_a(3), and the threads that work on them.

   A request is in the list until it is done or given up. The program's control block is written to
   under the lock alone, by whoever ends the request: after that it is the program's again and never
   touched. Threads are made as they are needed, and each is gone after a second without work. A
   forked child has none, and an empty list of its own. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "requests.h"

#include "kernel.h"

#undef p_type /* resolv.h has a function of this name */

#define MAX_THREADS 20 /* as many as libc has */
#define IDLE_SECONDS 1
#define STACK_SIZE (512 * 1024)

static struct table *table_now;

/* ---- the table ---- */

struct table *requests_table(void)
{
  struct table *table = __atomic_load_n(&table_now, __ATOMIC_ACQUIRE), *fresh;
  pthread_condattr_t monotonic;
  if (table != NULL && table->process == getpid())
    return table;
  fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL)
    return NULL;
  fresh->process = getpid();
  pthread_mutex_init(&fresh->mutex, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&fresh->work, &monotonic);
  pthread_condattr_destroy(&monotonic);
  if (__atomic_compare_exchange_n(&table_now, &table, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return fresh;
  free(fresh);
  return table;
}

/* The lock, with the program's signal handlers kept out: they may call us, too. */
void requests_lock(struct table *table, sigset_t *before)
{
  sigset_t all;
  memset(&all, 0xff, sizeof all); /* libc leaves out those that it needs */
  pthread_sigmask(SIG_SETMASK, &all, before);
  pthread_mutex_lock(&table->mutex);
}

void requests_unlock(struct table *table, const sigset_t *before)
{
  pthread_mutex_unlock(&table->mutex);
  pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* ---- blocks ---- */

static void block_begin(struct gaicb *block, pid_t process)
{
  block->__glibc_reserved[0] = MARK;
  block->__glibc_reserved[1] = (int)process;
  __atomic_store_n(&block->__return, EAI_INPROGRESS, __ATOMIC_RELEASE);
}

/* A program that polls may free the block at once: nothing may follow. */
void request_end(struct gaicb *block, int code, struct addrinfo *list)
{
  if (code == 0)
    block->ar_result = list;
  __atomic_store_n(&block->__return, code, __ATOMIC_RELEASE);
}

/* ---- requests ---- */

void request_free(struct request *request)
{
  free(request->node);
  free(request->service);
  free(request);
}

static struct request *request_make(struct gaicb *block, struct group *group)
{
  struct request *request = calloc(1, sizeof *request);
  if (request == NULL)
    return NULL;
  request->block = block;
  request->group = group;
  request->node = block->ar_name == NULL ? NULL : text_copy(block->ar_name);
  request->service = block->ar_service == NULL ? NULL : text_copy(block->ar_service);
  if (block->ar_request != NULL) {
    memcpy(&request->hints, block->ar_request, sizeof request->hints);
    request->has_hints = 1;
  }
  if ((block->ar_name != NULL && request->node == NULL) ||
      (block->ar_service != NULL && request->service == NULL)) {
    request_free(request);
    return NULL;
  }
  return request;
}

void request_unlink(struct table *table, struct request *request)
{
  struct request **place = &table->first;
  while (*place != request)
    place = &(*place)->next;
  *place = request->next;
}

/* ---- notifications ---- */

struct call {
  void (*function)(union sigval);
  union sigval value;
};

struct own {
  uintptr_t here;
  const char *name;
};

static int look(struct dl_phdr_info *object, size_t size, void *own_)
{
  struct own *own = own_;
  int i;
  (void)size;
  for (i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &object->dlpi_phdr[i];
    if (header->p_type == PT_LOAD &&
        own->here - (object->dlpi_addr + header->p_vaddr) < header->p_memsz)
      own->name = object->dlpi_name;
  }
  return own->name != NULL;
}

/* Has the dynamic linker keep the object that this is part of, where a program may unload it: a thread
   that outlives the call needs it. The name finds the object itself; no file is loaded by it. A static
   program has no loader, and must not be linked with one. */
static int object_keep(void)
{
  static int is_kept;
  void *(*load)(const char *, int);
  struct own own = {(uintptr_t)object_keep, NULL};
  if (__atomic_load_n(&is_kept, __ATOMIC_RELAXED))
    return 1;
  dl_iterate_phdr(look, &own);
  if (own.name != NULL && own.name[0] != 0) {
    *(void **)&load = dlsym(RTLD_DEFAULT, "dlopen");
    if (load == NULL || load(own.name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) == NULL)
      return 0;
  }
  __atomic_store_n(&is_kept, 1, __ATOMIC_RELAXED);
  return 1;
}

static void *call_back(void *argument)
{
  struct call call = *(struct call *)argument;
  sigset_t none;
  free(argument);
  memset(&none, 0, sizeof none); /* threads of ours are deaf to signals, and this one inherits it */
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  call.function(call.value);
  return NULL;
}

static void notify_by_thread(const struct sigevent *event)
{
  struct call *call = malloc(sizeof *call);
  pthread_attr_t own;
  pthread_t thread;
  int result;
  if (call == NULL)
    return;
  call->function = event->sigev_notify_function;
  call->value = event->sigev_value;
  if (event->sigev_notify_attributes != NULL) {
    result = pthread_create(&thread, event->sigev_notify_attributes, call_back, call);
  } else {
    pthread_attr_init(&own);
    pthread_attr_setdetachstate(&own, PTHREAD_CREATE_DETACHED);
    result = pthread_create(&thread, &own, call_back, call);
    pthread_attr_destroy(&own);
  }
  if (result != 0)
    free(call);
}

static void notify_by_signal(const struct group *group)
{
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_signo = group->event.sigev_signo;
  info.si_code = SI_ASYNCNL;
  info.si_pid = group->process;
  info.si_uid = getuid();
  info.si_value = group->event.sigev_value;
  syscall(SYS_rt_sigqueueinfo, group->process, group->event.sigev_signo, &info);
}

static void notify(const struct group *group)
{
  if (group->event.sigev_notify == SIGEV_SIGNAL)
    notify_by_signal(group);
  else if (group->event.sigev_notify == SIGEV_THREAD && group->event.sigev_notify_function != NULL)
    notify_by_thread(&group->event);
}

/* Under the lock: one request of the group less. Gives the group back where the program is to be told
   now; the caller does so without the lock, and frees it. */
struct group *group_less(struct group *group, int is_done)
{
  if (group == NULL)
    return NULL;
  group->is_told &= is_done || group->remaining > 1;
  if (--group->remaining > 0 || group->holders > 0)
    return NULL;
  return group;
}

void group_finish(struct group *group)
{
  if (group == NULL)
    return;
  if (group->is_told)
    notify(group);
  free(group);
}

/* ---- the work ---- */

/* Does a request's lookup; called with the lock, which is open meanwhile. */
void request_perform(struct table *table, struct request *request, sigset_t *before)
{
  struct addrinfo *list = NULL;
  struct group *ended;
  int32_t core_errno = 0;
  int code;
  request->is_running = 1;
  requests_unlock(table, before);
  code = do_getaddrinfo(request->node, request->service,
                        request->has_hints ? &request->hints : NULL, &list, &core_errno);
  requests_lock(table, before);
  request_unlink(table, request);
  if (request->block != NULL)
    request_end(request->block, code, list);
  else if (code == 0)
    do_freeaddrinfo(list);
  ended = group_less(request->group, 1);
  futex_tell(&table->ended);
  requests_unlock(table, before);
  group_finish(ended);
  request_free(request);
  requests_lock(table, before);
}

struct request *request_waiting(struct table *table, const struct group *group)
{
  struct request *request = table->first;
  while (request != NULL && (request->is_running || (group != NULL && request->group != group)))
    request = request->next;
  return request;
}

static void *serve(void *argument)
{
  struct table *table = argument;
  sigset_t before;
  requests_lock(table, &before);
  for (;;) {
    struct request *request = request_waiting(table, NULL);
    if (request == NULL) {
      struct timespec limit = time_after(IDLE_SECONDS, 0);
      int result = 0;
      table->idle++;
      while (result == 0 && (request = request_waiting(table, NULL)) == NULL)
        result = pthread_cond_timedwait(&table->work, &table->mutex, &limit);
      table->idle--;
      request = request_waiting(table, NULL);
    }
    if (request == NULL)
      break;
    request_perform(table, request, &before);
  }
  table->threads--;
  requests_unlock(table, &before);
  return NULL;
}

/* Under the lock, signals blocked: one thread more. */
static int thread_start(struct table *table)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int result;
  if (!object_keep())
    return 0;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  result = pthread_create(&thread, &attributes, serve, table);
  pthread_attr_destroy(&attributes);
  table->threads += result == 0;
  return result == 0;
}

/* Under the lock: takes a block in; 0 where it can't be. `here`: the calling thread will work too. */
int request_accept(struct table *table, struct gaicb *block, struct group *group, int here)
{
  struct request *request, **end = &table->first, *other;
  int unserved = 1;
  block_begin(block, table->process);
  request = request_make(block, group);
  if (request == NULL)
    return 0;
  for (other = table->first; other != NULL; other = other->next)
    unserved += !other->is_running;
  if (unserved > table->idle + here && table->threads < MAX_THREADS)
    thread_start(table);
  if (table->threads == 0 && !here) {
    request_free(request);
    return 0;
  }
  while (*end != NULL)
    end = &(*end)->next;
  *end = request;
  if (group != NULL)
    group->remaining++;
  pthread_cond_signal(&table->work);
  return 1;
}
