"""The C sources that the checks read: what git knows, or else what is there."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ('src', 'playground', 'tests/unit', 'tests/fuzz', 'bench')


def c_files(folders=FOLDERS):
    """Paths below ROOT of the .c and .h files of these folders, new ones included."""
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '--', *folders], cwd=ROOT,
                            capture_output=True, text=True)
    if listed.returncode == 0:
        paths = listed.stdout.splitlines()
    else:
        paths = [os.path.relpath(os.path.join(folder, name), ROOT) for top in folders
                 for folder, _, names in os.walk(os.path.join(ROOT, top)) for name in names]
    return sorted(p for p in paths if p.endswith(('.c', '.h')) and os.path.exists(os.path.join(ROOT, p)))


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8', errors='replace') as f:
        return f.read()


TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)


def code_only(text):
    """The text without comments and without the contents of literals; lines keep their numbers."""
    def blank(match):
        token = match.group(0)
        return token[0] + token[-1] if token[0] in '"\'' else ' ' + '\n' * token.count('\n')
    return TOKENS.sub(blank, text)
