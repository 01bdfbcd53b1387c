/* The entry point that each fuzz_NAME.c defines: read the input, return 0; crash on a bug. */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
