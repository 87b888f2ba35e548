/* `foreign libc`: a name that none of the core's services knew goes to the next library, and a
   program's own line for hosts goes to libc too. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

#include "system.h"

typedef int getaddrinfo_function(const char *, const char *, const struct addrinfo *,
                                 struct addrinfo **);
typedef int configure_function(const char *, const char *);

/* A function of torsocks: where it is, nothing may be asked of the network but by its functions. */
static void *torsocks(void)
{
  return dlsym(RTLD_DEFAULT, "tsocks_connect_to_tor");
}

u32 SYS(is_torsocks_here)(sys_t *sys)
{
  (void)sys;
  return torsocks() != NULL;
}

static int are_of_one_object(const void *one, const void *other)
{
  Dl_info of_one, of_other;
  return one != NULL && other != NULL && dladdr(one, &of_one) != 0 && dladdr(other, &of_other) != 0 &&
         of_one.dli_fbase == of_other.dli_fbase;
}

/* A function of the next library in link order; beside torsocks, torsocks's or none. */
static void *next_function(const char *name)
{
  typedef void *open_function(const char *, int);
  void *next = dlsym(RTLD_NEXT, name), *own = torsocks(), *first, *found;
  open_function *open;
  if (own == NULL || are_of_one_object(next, own))
    return next;
  found = dlsym(RTLD_DEFAULT, "dlopen");
  if (found == NULL)
    return NULL;
  memcpy(&open, &found, sizeof open);
  first = dlsym(open(NULL, RTLD_LAZY), name);
  return are_of_one_object(first, own) ? first : NULL;
}

/* The answer's form: addresses, then the canonical name. */
static u32 copy(sys_t *sys, const struct addrinfo *list, u32 place, u32 room)
{
  const char *name = list != NULL && list->ai_canonname != NULL ? list->ai_canonname : "";
  uint8_t *to = core_octets(sys, place, room);
  u32 count = 0, length = (u32)strlen(name);
  for (; list != NULL; list = list->ai_next) {
    struct address address;
    if ((count + 1) * ADDRESS_LENGTH > room)
      break;
    if (list->ai_addr == NULL || !address_of(list->ai_addr, list->ai_addrlen, &address))
      continue;
    address.port = 0;
    address_write(&address, to + count++ * ADDRESS_LENGTH);
  }
  if (length > room - count * ADDRESS_LENGTH)
    length = 0;
  memcpy(to + count * ADDRESS_LENGTH, name, length);
  return length << 16 | count;
}

u32 SYS(foreign_look_up)(sys_t *sys, u32 node, u32 length,
                                   u32 family, u32 place, u32 room)
{
  enum { NO_NAME = -1, AGAIN = -2, NO_MEMORY = -3 };
  getaddrinfo_function *next;
  struct addrinfo hints, *list = NULL;
  void *found = next_function("getaddrinfo");
  char *name;
  u32 result;
  int code;
  if (found == NULL)
    return (u32)NO_NAME;
  memcpy(&next, &found, sizeof next);
  name = malloc((size_t)length + 1);
  if (name == NULL)
    return (u32)NO_MEMORY;
  memcpy(name, core_octets(sys, node, length), length);
  name[length] = '\0';
  memset(&hints, 0, sizeof hints);
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = family == 0 ? AF_UNSPEC : family == 4 ? AF_INET : AF_INET6;
  code = next(name, NULL, &hints, &list);
  free(name);
  if (code != 0)
    return (u32)(code == EAI_AGAIN ? AGAIN : code == EAI_MEMORY ? NO_MEMORY : NO_NAME);
  result = copy(sys, list, place, room);
  do_freeaddrinfo(list);
  return result;
}

/* Weak: a static libc defines it in an object that it needs for other reasons. */
EXPORT __attribute__((weak)) int __nss_configure_lookup(const char *database, const char *line)
{
  struct entry entry;
  configure_function *next;
  void *found;
  int code;
  entry_begin(&entry);
  found = dlsym(RTLD_NEXT, "__nss_configure_lookup");
  if (found != NULL) {
    memcpy(&next, &found, sizeof next);
    code = next(database, line);
    if (code != 0) {
      entry_end_with(&entry, errno);
      return code;
    }
  }
  if (database != NULL && line != NULL && strcmp(database, "hosts") == 0 && !core_choose_all(line)) {
    entry_end_with(&entry, ENOMEM);
    return -1;
  }
  entry_end(&entry);
  return 0;
}
