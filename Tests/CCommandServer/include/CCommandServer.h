#pragma once
#include <stddef.h>

/// Serves commands that arrive at standard input, until the other side closes it. Each runs in a forked process.
///
/// A message holds the command's words, each with a 0 behind it, and three descriptors: standard output, standard error,
/// and the one that takes the status.
void command_serve(void (*run)(int count, const char *const *words));

/// Sends a command's words, `length` bytes, to a server. Returns whether it went out.
int command_send(int server, const char *words, size_t length, int output, int errors, int reply);

/// Reads the status of a command: its exit code, or the number of the signal that ended it. Returns -1 if none comes.
int command_status(int reply);
