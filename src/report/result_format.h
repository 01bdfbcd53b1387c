/* What the writer and the reader of result files share. Not for other layers. */
#pragma once

#include "report/result_file.h"

#define RESULT_MAGIC "KILNRUN\n"
#define RESULT_MAGIC_BYTES 8
#define RESULT_HEADER_BYTES 16 /* magic, version, CRC-32 of both */
#define RESULT_CHUNK_HEAD_BYTES 16
/* Of one chunk, uncompressed. */
#define RESULT_CHUNK_BYTES_MAX ((size_t)64 << 20)

/* Chunk types. One that begins with a small letter may be skipped by who does not know it. */
#define CHUNK_META "META"
#define CHUNK_DEFS "DEFS"
#define CHUNK_WINDOWS "WIND"
#define CHUNK_TOTALS "TOTL"
#define CHUNK_OUTCOME "RSLT"
#define CHUNK_SO_FAR "rslt"  /* an outcome in the middle of a run: the last one counts */
#define CHUNK_ARCHIVE "arch" /* tar */
#define CHUNK_END "DONE"
