#pragma once
// Nothing to call: the target runs `dualnorm_tests_start` of the command's tests before the test program begins.
