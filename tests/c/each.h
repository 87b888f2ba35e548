/* Calls from standard input, one case a line, each in a child of its own that has resolved nothing
 * before:
 *
 *   [NAME=VALUE ...] CALL [; CALL ...]
 *
 * The variables are the child's environment; the calls of one line are made one after the other.
 * After what they print comes a line that says how the child ended: `= exit 0`, `= signal 11`, or
 * `= hangs` where it had to be killed. */
#ifndef RUSTDNS_TESTS_EACH_H
#define RUSTDNS_TESTS_EACH_H

#include <ctype.h>
#include <locale.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

#define MAX_CASE_WORDS 64

/* In the child. */
static void make_calls(char *line, void (*make)(int count, char **words))
{
    char *words[MAX_CASE_WORDS], *rest = line;
    int count = 0, begun = 0;
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        char *value;
        if (!begun && isupper((unsigned char)*word) && (value = strchr(word, '=')) != NULL) {
            *value++ = '\0';
            setenv(word, *value == '\0' ? value : unescape(value), 1);
        } else if (strcmp(word, ";") == 0) {
            make(count, words);
            count = 0;
        } else if (*word != '\0' && count < MAX_CASE_WORDS) {
            if (!begun++)
                setlocale(LC_ALL, "");
            words[count++] = word;
        }
    }
    make(count, words);
}

static void each_case(int seconds, void (*make)(int count, char **words))
{
    static char buffer[1 << 16];
    char *line = NULL;
    size_t room = 0;
    sigset_t child_ended, before;
    struct timespec limit = {.tv_sec = seconds};
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, &before);
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        pid_t child = fork();
        if (child < 0)
            die("no child");
        if (child == 0) {
            sigprocmask(SIG_SETMASK, &before, NULL);
            /* What libc says when it aborts is part of what the case came to. */
            dup2(1, 2);
            setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
            make_calls(line, make);
            fflush(stdout);
            _exit(0);
        }
        int status, hangs = sigtimedwait(&child_ended, NULL, &limit) != SIGCHLD;
        if (hangs)
            kill(child, SIGKILL);
        waitpid(child, &status, 0);
        if (hangs) {
            /* The signal of the child that was killed. */
            sigtimedwait(&child_ended, NULL, &limit);
            puts("= hangs");
        } else if (WIFSIGNALED(status)) {
            printf("= signal %d\n", WTERMSIG(status));
        } else {
            printf("= exit %d\n", WEXITSTATUS(status));
        }
    }
    free(line);
}

#endif
