#!/usr/bin/env python3
"""Are functions called that the house does not use? The list says what to call instead."""
import re
import sys

from c_sources import c_files, code_only, read

BANNED = {
    'strcpy': 'a slice or memcpy with a length',
    'strcat': 'a buffer (base/buf.h)',
    'strncpy': 'memcpy with a length',
    'sprintf': 'snprintf or a buffer',
    'vsprintf': 'vsnprintf or a buffer',
    'gets': 'fgets',
    'strtok': 'a loop over slices',
    'atoi': 'strtol with its errors looked at',
    'atol': 'strtol with its errors looked at',
    'alloca': 'an arena',
    'system': 'a process of the event loop, without a shell',
    'popen': 'a process of the event loop, without a shell',
}
CALL = re.compile(r'(?<![\w.>])(%s)\s*\(' % '|'.join(BANNED))


def main():
    bad = 0
    for path in c_files():
        code = code_only(read(path))
        for match in CALL.finditer(code):
            bad += 1
            print('%s:%d: %s is banned: use %s' % (path, code.count('\n', 0, match.start()) + 1, match.group(1),
                                                  BANNED[match.group(1)]))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
