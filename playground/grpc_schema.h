/* What the gRPC services look like, for server reflection: serialized FileDescriptorProtos. */
#pragma once

#include "base/buf.h"

#define GRPC_FILES 4

/* Made once, by the first who asks; live as long as the program. */
void grpc_schema_prepare(void);
/* The file that declares this service, message or enum; empty when there is none. */
struct slice grpc_schema_of_symbol(struct slice full_name);
struct slice grpc_schema_of_file(struct slice name);
/* The services' full names, sorted; NULL ends the list. */
const char *const *grpc_schema_services(void);
