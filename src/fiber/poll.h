/* The poll of a worker: epoll, level-triggered. One watch a descriptor, embedded in its owner. */
#pragma once

#include <stdint.h>

#define POLL_EVENTS_A_TURN 1024

struct poll_watch {
    void (*happened)(struct poll_watch *watch, uint32_t epoll_events);
};

/* Adds, changes or removes what is watched for; `was` and `now` are epoll event masks, 0 = not
 * registered. */
void poll_set(int epoll_fd, int fd, struct poll_watch *watch, uint32_t was, uint32_t now);
