/* Looks into the library in portable C, with which it is linked: `portable SCENARIO [NAME...]`. */

#define _GNU_SOURCE
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "portable.h"

u32 Z_rustdns_sysZ_socket_open(struct Z_rustdns_sys_instance_t *, u32 family, u32 is_stream);

static int ask(const char *name)
{
  struct addrinfo hints, *list = NULL;
  int code;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  code = getaddrinfo(name, "80", &hints, &list);
  freeaddrinfo(list);
  return code;
}

static int descriptors(void)
{
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count;
}

/* Ends as a bug of the core's would, with a socket open. */
static int trap(struct instance *instance, void *argument)
{
  (void)argument;
  Z_rustdns_sysZ_socket_open(&instance->system, 4, 0);
  broken();
}

/* All that the core knows is nonsense from now on. */
static int ruin(struct instance *instance, void *argument)
{
  (void)argument;
  memset(instance->core.w2c_memory.data, 0xff, instance->core.w2c_memory.size);
  return 0;
}

/* Reads where there is no memory. */
static int stray(struct instance *instance, void *argument)
{
  (void)argument;
  return *core_octets(&instance->system, instance->core.w2c_memory.size - 1, 2);
}

static void traps(const char *name)
{
  int before, after;
  printf("at first: %d\n", ask(name));
  before = descriptors();
  printf("a trap: %d\n", with_core(ANY, NULL, trap, NULL) == CORE_BROKEN);
  printf("a stray read: %d\n", with_core(ANY, NULL, stray, NULL) == CORE_BROKEN);
  after = descriptors();
  printf("descriptors: %d\n", after - before);
  printf("then: %d\n", ask(name));
  with_core(ANY, NULL, ruin, NULL);
  printf("ruined: %s\n", ask(name) == EAI_FAIL ? "EAI_FAIL" : "something else");
  printf("afterwards: %d\n", ask(name));
}

static int memory(struct instance *instance, void *argument)
{
  unsigned *sums = argument;
  unsigned size = instance->core.w2c_memory.size;
  sums[0]++;
  sums[1] = size > sums[1] ? size : sums[1];
  return 0;
}

static void show_instances(void)
{
  unsigned sums[2] = {0, 0};
  core_visit(memory, sums);
  printf("instances: %u, of at most %u KiB\n", sums[0], sums[1] / 1024);
}

static void *ask_on_thread(void *name)
{
  return (void *)(intptr_t)ask(name);
}

/* A thread for each name. */
static void side_by_side(char **names, int count)
{
  pthread_t threads[64];
  int i, failed = 0;
  for (i = 0; i < count && i < 64; i++)
    pthread_create(&threads[i], NULL, ask_on_thread, names[i]);
  for (i = 0; i < count && i < 64; i++) {
    void *code;
    pthread_join(threads[i], &code);
    failed += code != NULL;
  }
  printf("failed: %d\n", failed);
  show_instances();
}

/* A child begins with no instance, though its parent's are busy. */
static void child(char *name, char *slow)
{
  pthread_t thread;
  int status = 0;
  printf("parent: %d\n", ask(name));
  pthread_create(&thread, NULL, ask_on_thread, slow);
  usleep(100000);
  fflush(stdout);
  if (fork() == 0) {
    show_instances();
    printf("child: %d\n", ask(name));
    show_instances();
    fflush(stdout);
    _exit(0);
  }
  wait(&status);
  pthread_join(thread, NULL);
  printf("status: %d\n", status);
}

/* One after the other needs one instance. */
static void one_by_one(char **names, int count)
{
  int i, failed = 0;
  for (i = 0; i < count; i++)
    failed += ask(names[i]) != 0;
  printf("failed: %d\n", failed);
  show_instances();
}

int main(int count, char **words)
{
  const char *scenario = count > 2 ? words[1] : "";
  if (strcmp(scenario, "traps") == 0)
    traps(words[2]);
  else if (strcmp(scenario, "side-by-side") == 0)
    side_by_side(words + 2, count - 2);
  else if (strcmp(scenario, "one-by-one") == 0)
    one_by_one(words + 2, count - 2);
  else if (strcmp(scenario, "child") == 0 && count > 3)
    child(words[2], words[3]);
  else
    return 2;
  return 0;
}
