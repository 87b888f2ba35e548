/*
 * Looks up warm.test, forks, and then looks up p0.test, p1.test, ... in the parent and c0.test,
 * c1.test, ... in the child. Exits 0 if every lookup found an address.
 */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int look_up(const char *name)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    int code = getaddrinfo(name, "80", &hints, &list);
    if (code != 0) {
        fprintf(stderr, "%s: %s\n", name, gai_strerror(code));
        return 1;
    }
    freeaddrinfo(list);
    return 0;
}

static int look_up_many(char letter)
{
    int failed = 0;
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "%c%d.test", letter, i);
        failed |= look_up(name);
    }
    return failed;
}

int main(void)
{
    int failed = look_up("warm.test"), status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(look_up_many('c'));
    failed |= look_up_many('p');
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        failed = 1;
    return failed;
}
