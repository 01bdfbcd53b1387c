#!/usr/bin/env python3
"""Do includes point down only? A file of src/ includes its own directory and layers below it, written
from src/ ("base/buf.h"); the playground includes base. CMakeLists.txt links by the same order."""
import re
import sys

from c_sources import c_files, read

RANK = {
    'base': 0,
    'fiber': 1, 'metrics': 1, 'html': 1, 'proto': 1,
    'net': 2,
    'http': 3,
    'ws': 4, 'grpc': 4, 'redis': 4,
    'cdp': 5,
    'js': 6,
    'load': 7,
    'report': 8, 'output': 8, 'api': 8,
    'cli': 9,
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def problem(path, target):
    """Why this file may not include that, or None."""
    if target.startswith('embed/'):
        return None  # generated into the layer that asks for it
    if '..' in target.split('/'):
        return "no '..': write the path from src/"
    to = target.split('/')[0] if '/' in target else None
    if path.startswith('playground/'):
        if to in RANK and to != 'base':
            return 'the playground stands on base alone'
        return None
    layer = path.split('/')[1]
    if layer not in RANK:
        return "layer '%s' has no rank in tools/check_includes.py" % layer
    if to is None or to == layer:
        return None
    if to not in RANK:
        return "'%s' is no layer" % to
    if RANK[to] >= RANK[layer]:
        return '%s (rank %d) may not include %s (rank %d)' % (layer, RANK[layer], to, RANK[to])
    return None


def main():
    bad = 0
    for path in c_files(('src', 'playground')):
        text = read(path)
        for match in INCLUDE.finditer(text):
            why = problem(path, match.group(1))
            if why:
                bad += 1
                print('%s:%d: include "%s": %s' % (path, text.count('\n', 0, match.start(1)) + 1, match.group(1), why))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
