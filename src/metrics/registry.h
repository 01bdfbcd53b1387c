/* What metric.c and submetric.c share of the registry. Not for other layers. */
#pragma once

#include "metrics/metric.h"

void registry_lock(void);
void registry_unlock(void);
/* Both with the lock held. add: NULL with KE_TOO_LARGE when the registry is full. */
struct metric *registry_find(struct slice name);
struct metric *registry_add(struct slice name, enum metric_type type, enum metric_contains contains,
                            struct error *err);
