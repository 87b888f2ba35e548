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

/* ---- filling ---- */

static void fill_servers(struct __res_state *state, struct reply *reply)
{
  uint32_t count = reply_number(reply), i;
  const uint8_t *places = reply_raw(reply, (size_t)count * ADDRESS_LENGTH);
  memset(state->nsaddr_list, 0, sizeof state->nsaddr_list);
  memset(&state->_u, 0, sizeof state->_u);
  state->nscount = 0;
  for (i = 0; i < count && i < MAXNS; i++) {
    struct address server;
    address_read(places + i * ADDRESS_LENGTH, &server);
    if (server.family == 4) {
      address_to(&server, &state->nsaddr_list[i]);
    } else {
      /* libc frees it: in res_nclose, and where a thread ends. */
      struct sockaddr_in6 *v6 = calloc(1, sizeof *v6);
      if (v6 == NULL)
        return;
      address_to(&server, v6);
      state->_u._ext.nsaddrs[i] = v6;
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
  if (is_filled(state)) {
    state->nscount = MAXNS; /* all of them, though the program has set a lower number */
    res_nclose(state);
  }
  state->retrans = kept(keep, timeout, timeout_default, state->retrans);
  state->retry = kept(keep, attempts, attempts_default, state->retry);
  if (keep && is_filled(state))
    state->options |= own & ~defaults; /* what the program has switched off stays off */
  else
    state->options = own | RES_INIT;
  if (keep && state->id == 0)
    system_random(&state->id, sizeof state->id);
  state->pfcode = 0;
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
