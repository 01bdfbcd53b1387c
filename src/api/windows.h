/* /v1/windows/N: what was measured second by second, for who follows this instance: the last
 * windows, each as a saved run of one window (report/result_file.h), so that it can be added to
 * others'. The answer is a sequence of u64 number, u32 length, and so many bytes, of all windows
 * with a number greater than N.
 *
 * Main thread. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

struct api;

/* Somebody asked lately: windows are to be given. */
bool api_windows_are_wanted(const struct api *api);
/* The next window. Copied. */
void api_windows_add(struct api *api, struct slice bytes);
