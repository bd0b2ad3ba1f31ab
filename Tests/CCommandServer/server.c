#include "CCommandServer.h"

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { descriptor_count = 3, longest = 1 << 17, most_words = 4096 };

/// Fills the header of a message of words and descriptors.
static struct msghdr header(struct iovec *words, char *control, size_t length) {
  memset(control, 0, length);
  return (struct msghdr){.msg_iov = words, .msg_iovlen = 1, .msg_control = control, .msg_controllen = length};
}

int command_send(int server, const char *words, size_t length, int output, int errors, int reply) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(descriptor_count * sizeof(int))];
  struct iovec text = {(char *)words, length};
  struct msghdr message = header(&text, control, sizeof control);
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET, rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(descriptor_count * sizeof(int));
  memcpy(CMSG_DATA(rights), (int[]){output, errors, reply}, descriptor_count * sizeof(int));
  return length <= longest && sendmsg(server, &message, MSG_NOSIGNAL) == (ssize_t)length;
}

int command_status(int reply) {
  int status;
  ssize_t count;
  while ((count = read(reply, &status, sizeof status)) < 0 && errno == EINTR) {
  }
  return count == sizeof status ? status : -1;
}

/// Receives a command. Returns the length of its words, or 0 at the end.
static size_t receive(char *words, int *descriptors) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(descriptor_count * sizeof(int))];
  struct iovec text = {words, longest};
  struct msghdr message = header(&text, control, sizeof control);
  ssize_t length = recvmsg(STDIN_FILENO, &message, MSG_CMSG_CLOEXEC);
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  if (length <= 0 || !rights || rights->cmsg_len != CMSG_LEN(descriptor_count * sizeof(int))) return 0;
  memcpy(descriptors, CMSG_DATA(rights), descriptor_count * sizeof(int));
  return (size_t)length;
}

struct command {
  void (*run)(int count, const char *const *words);
  int count;
  const char *words[most_words];
};

static void *run_command(void *argument) {
  struct command *command = argument;
  command->run(command->count, command->words);
  return NULL;
}

/// Becomes a command: its words, its output, and no input.
///
/// It runs on a thread of its own. Swift's locks keep the number of their thread, and that of a forked thread is its
/// parent's, which would wait for ever.
static void become(char *words, size_t length, const int *descriptors, void (*run)(int, const char *const *)) {
  static struct command command;
  command.run = run;
  for (char *word = words; word < words + length && command.count < most_words; word += strlen(word) + 1)
    command.words[command.count++] = word;
  int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(descriptors[0], STDOUT_FILENO) < 0 ||
      dup2(descriptors[1], STDERR_FILENO) < 0)
    _exit(126);
  close(input);
  for (int each = 0; each < descriptor_count; each++) close(descriptors[each]);
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_command, &command) == 0) pthread_join(thread, NULL);
  _exit(126);
}

void command_serve(void (*run)(int count, const char *const *words)) {
  static char words[longest];
  int descriptors[descriptor_count];
  size_t length;
  signal(SIGCHLD, SIG_IGN);  // keepers leave nothing behind
  while ((length = receive(words, descriptors)) > 0) {
    if (fork() == 0) {  // a keeper, which waits for the command and tells its end
      signal(SIGCHLD, SIG_DFL);
      pid_t command = fork();
      if (command == 0) become(words, length, descriptors, run);
      int status = -1;
      if (command > 0 && waitpid(command, &status, 0) == command)
        status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
      _exit(write(descriptors[2], &status, sizeof status) != sizeof status);
    }
    for (int each = 0; each < descriptor_count; each++) close(descriptors[each]);
  }
}
#else
void command_serve(void (*run)(int count, const char *const *words)) { (void)run; }
int command_send(int server, const char *words, size_t length, int output, int errors, int reply) { return 0; }
int command_status(int reply) { return -1; }
#endif
