#include "CTestStart.h"

void dualnorm_tests_start(void);

// All tests share a process, and the first of them may need the words of the command line.
__attribute__((constructor)) static void start(void) { dualnorm_tests_start(); }
