/* struct __res_state (resolv.h): libc's resolver configuration as programs see and change it, a
   thread's own (_res) or a caller's. It is filled from the core's configuration, and read to learn
   what a program has changed since. */

#define _GNU_SOURCE
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>

#include "state.h"
#include "system.h"

static struct __res_state *state_of(sys_t *sys)
{
  return sys->state != NULL ? sys->state : &_res;
}

static int is_filled(const struct __res_state *state)
{
  return (state->options & RES_INIT) != 0;
}

/* ---- reading ---- */

u32 SYS(state_is_filled)(sys_t *sys)
{
  return (u32)is_filled(state_of(sys));
}

void SYS(h_errno_set)(sys_t *sys, u32 number)
{
  h_errno = (int)number;
  state_of(sys)->res_h_errno = (int)number;
}

/* An address of the state's: beside its place in the list where it is IPv6. */
static int server_of(const struct __res_state *state, int i, struct address *server)
{
  const struct sockaddr_in *v4 = &state->nsaddr_list[i];
  const void *v6 = state->_u._ext.nsaddrs[i];
  struct sockaddr_in6 copy;
  if (v4->sin_family == AF_INET)
    return address_of(v4, sizeof *v4, server);
  if (v4->sin_family != 0 || v6 == NULL)
    return 0;
  memcpy(&copy, v6, sizeof copy);
  copy.sin6_family = AF_INET6;
  return address_of(&copy, sizeof copy, server);
}

u32 SYS(state_read)(sys_t *sys, u32 place, u32 room)
{
  const struct __res_state *state = state_of(sys);
  uint8_t *start = core_octets(sys, place, room), *to = start + 5 * sizeof(uint32_t);
  uint32_t numbers[5] = {(uint32_t)state->options, state->ndots, 0, 0, 0};
  int i;
  if (room < sizeof numbers + MAXNS * ADDRESS_LENGTH)
    broken();
  numbers[2] = state->retrans > 0 ? (uint32_t)state->retrans : 0;
  numbers[3] = state->retry > 0 ? (uint32_t)state->retry : 0;
  for (i = 0; i < MAXNS && i < state->nscount; i++) {
    struct address server;
    if (server_of(state, i, &server)) {
      address_write(&server, to);
      to += ADDRESS_LENGTH;
      numbers[4]++;
    }
  }
  memcpy(start, numbers, sizeof numbers);
  for (i = 0; i < MAXDNSRCH + 1 && state->dnsrch[i] != NULL; i++) {
    size_t length = strlen(state->dnsrch[i]) + 1;
    if (length > room - (size_t)(to - start))
      break;
    memcpy(to, state->dnsrch[i], length);
    to += length;
  }
  return (u32)(to - start);
}

/* ---- the addresses of IPv6 servers that a state points to ---- */

/* In a thread's _res. libc frees them when the thread ends, so each is a malloc of its own; they are used again when
   it is filled again, and not freed: a copy of _res may still point to them. */
static __thread struct sockaddr_in6 *own_places[MAXNS];

/* Where what stands in _res now isn't what we put there, somebody may have freed that one. */
static struct sockaddr_in6 *own_place(int i, const struct sockaddr_in6 *before,
                                      const struct sockaddr_in6 *address)
{
  if (own_places[i] == NULL || before != own_places[i])
    own_places[i] = malloc(sizeof *own_places[i]);
  if (own_places[i] != NULL)
    *own_places[i] = *address;
  return own_places[i];
}

/* In states of callers: each server's once in the process, and for good. So it does no harm that a state is copied,
   or closed twice or never. */
struct kept_address {
  struct sockaddr_in6 address;
  struct kept_address *next;
};
static struct kept_address *kept_first;

static struct sockaddr_in6 *kept_place(const struct sockaddr_in6 *address)
{
  struct kept_address *first = __atomic_load_n(&kept_first, __ATOMIC_ACQUIRE), *at;
  for (at = first; at != NULL; at = at->next)
    if (memcmp(&at->address, address, sizeof *address) == 0)
      return &at->address;
  at = malloc(sizeof *at);
  if (at == NULL)
    return NULL;
  at->address = *address;
  at->next = first;
  while (!__atomic_compare_exchange_n(&kept_first, &at->next, at, 0, __ATOMIC_RELEASE,
                                      __ATOMIC_RELAXED))
    ;
  return &at->address;
}

static int is_ours(const struct sockaddr_in6 *place)
{
  const struct kept_address *at = __atomic_load_n(&kept_first, __ATOMIC_ACQUIRE);
  int i;
  for (i = 0; i < MAXNS; i++)
    if (own_places[i] == place)
      return 1;
  while (at != NULL && &at->address != place)
    at = at->next;
  return at != NULL;
}

void state_close(struct __res_state *state, void (*next)(struct __res_state *))
{
  struct sockaddr_in6 *ours[MAXNS];
  int i;
  for (i = 0; i < MAXNS; i++) {
    struct sockaddr_in6 *place = state->_u._ext.nsaddrs[i];
    ours[i] = place != NULL && is_ours(place) ? place : NULL;
    if (ours[i] != NULL)
      state->_u._ext.nsaddrs[i] = NULL;
  }
  if (next != NULL)
    next(state);
  /* The thread's own is closed again when the thread ends. */
  for (i = 0; state == &_res && i < MAXNS; i++)
    if (ours[i] != NULL)
      state->_u._ext.nsaddrs[i] = ours[i];
}

/* ---- filling: what is being filled is not read, a caller's is what its stack held before ---- */

static void fill_servers(struct __res_state *state, struct reply *reply)
{
  uint32_t count = reply_number(reply), i;
  const uint8_t *places = reply_raw(reply, (size_t)count * ADDRESS_LENGTH);
  struct sockaddr_in6 *before[MAXNS];
  memcpy(before, state->_u._ext.nsaddrs, sizeof before);
  memset(state->nsaddr_list, 0, sizeof state->nsaddr_list);
  memset(&state->_u, 0, sizeof state->_u);
  state->nscount = 0;
  for (i = 0; i < count && i < MAXNS; i++) {
    struct address server;
    address_read(places + i * ADDRESS_LENGTH, &server);
    if (server.family == 4) {
      address_to(&server, &state->nsaddr_list[i]);
    } else {
      struct sockaddr_in6 address, *place;
      memset(&address, 0, sizeof address);
      address_to(&server, &address);
      place = state == &_res ? own_place((int)i, before[i], &address) : kept_place(&address);
      if (place == NULL)
        return;
      state->_u._ext.nsaddrs[i] = place;
    }
    state->_u._ext.nssocks[i] = -1;
    state->nscount++;
  }
}

/* The domains stand one after the other in defdname, whose beginning so is the first of them. */
static void fill_search(struct __res_state *state, struct reply *reply)
{
  uint32_t count = reply_number(reply), length, i;
  size_t used = 0;
  memset(state->dnsrch, 0, sizeof state->dnsrch);
  memset(state->defdname, 0, sizeof state->defdname);
  for (i = 0; i < count; i++) {
    const uint8_t *domain = reply_octets(reply, &length);
    if (i >= MAXDNSRCH || length >= sizeof state->defdname - used)
      continue;
    state->dnsrch[i] = state->defdname + used;
    memcpy(state->dnsrch[i], domain, length);
    used += length + 1;
  }
}

static void fill_sort_list(struct __res_state *state, struct reply *reply)
{
  uint32_t count = reply_number(reply), i;
  const uint8_t *pairs = reply_raw(reply, (size_t)count * 8);
  state->nsort = 0;
  for (i = 0; i < count && i < MAXRESOLVSORT; i++) {
    memcpy(&state->sort_list[i].addr, pairs + i * 8, 4);
    memcpy(&state->sort_list[i].mask, pairs + i * 8 + 4, 4);
    state->nsort++;
  }
}

/* A number of the configuration's; with keep the program's, where that is set and the other isn't. */
static int kept(int keep, uint32_t own, uint32_t by_default, int set)
{
  return keep && own == by_default && set != 0 ? set : (int)own;
}

static void fill(struct __res_state *state, struct reply reply, int keep)
{
  unsigned long own = reply_number(&reply), defaults = reply_number(&reply);
  uint32_t ndots = reply_number(&reply);
  uint32_t timeout = reply_number(&reply), timeout_default = reply_number(&reply);
  uint32_t attempts = reply_number(&reply), attempts_default = reply_number(&reply);
  state->retrans = kept(keep, timeout, timeout_default, state->retrans);
  state->retry = kept(keep, attempts, attempts_default, state->retry);
  if (keep && is_filled(state))
    state->options |= own & ~defaults; /* what the program has switched off stays off */
  else
    state->options = own | RES_INIT;
  if (keep && state->id == 0)
    system_random(&state->id, sizeof state->id);
  state->pfcode = 0;
  state->__glibc_unused_qhook = NULL;
  state->__glibc_unused_rhook = NULL;
  state->_flags = 0;
  state->_vcsock = -1;
  fill_servers(state, &reply);
  fill_search(state, &reply);
  fill_sort_list(state, &reply);
  state->ndots = ndots;
  state->ipv6_unavail = 0;
}

int state_fill(struct instance *instance, int anew, int keep)
{
  if (Z_rustdnsZ_res_configuration(&instance->core, (u32)anew) != 0)
    return 0;
  fill(state_of(&instance->system), core_reply(instance), keep);
  return 1;
}

int state_fill_once(struct instance *instance)
{
  return is_filled(state_of(&instance->system)) || state_fill(instance, 0, 0);
}

void state_set_id(struct instance *instance, const uint8_t id[2])
{
  memcpy(&state_of(&instance->system)->id, id, 2);
}
