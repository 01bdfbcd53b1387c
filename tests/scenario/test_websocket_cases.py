#!/usr/bin/env python3
"""What a script sees of frames in every form, right and wrong: a table of cases, each a connection to a peer that
sends the bytes as they stand and notes what comes back. All run in one VU of one kiln. Environment: KILN.

The order is that of the Autobahn test suite: framing, pings, reserved bits, opcodes, fragments, UTF-8, closing."""
import json
import re
import struct
import unittest

from kiln_runner import kiln, script
from websocket_peer import BINARY, CLOSE, PING, PONG, TEXT, Peer

CONTINUATION = 0
NORMAL = b'\x03\xe8'
BYE = b'\x88\x02' + NORMAL  # a good end
OPEN, END = 'open', 'close 1000 '
CUT = 'close undefined '    # the connection was given up
ANSWERED = [(CLOSE, NORMAL)]
LONG = 200                  # longer texts are logged by their length


def frame(opcode, payload=b'', final=True, rsv=0, mask=None):
    size = len(payload)
    first = (0x80 if final else 0) | rsv << 4 | opcode
    bit = 0x80 if mask else 0
    head = bytes([first, bit | size]) if size < 126 else bytes([first, bit | 126]) + struct.pack('>H', size) \
        if size < 65536 else bytes([first, bit | 127]) + struct.pack('>Q', size)
    return head + (mask or b'') + payload


def text(data):
    return 'text ' + (data if len(data) <= LONG else str(len(data)))


def binary(data):
    return 'binary ' + (data.hex() if len(data) <= LONG else str(len(data)))


CASES = []


def case(name, sent, events, answers=None):
    """sent: bytes, or pieces of them; events: between open and the end, which is good unless the last one is an end."""
    pieces = [sent] if isinstance(sent, bytes) else list(sent)
    if not events or not events[-1].startswith('close'):
        pieces.append(BYE)
        events = events + [END]
        answers = (answers or []) + ANSWERED
    CASES.append((name, pieces, [OPEN] + events, answers or []))


def breach(name, sent, words, events=()):
    case(name, sent, [*events, CUT], [(CLOSE, b'\x03\xea' + words.encode())])


# 1 framing
for size in (0, 1, 125, 126, 127, 128, 65535, 65536, 200000):
    case('text of %d' % size, frame(TEXT, b'*' * size), [text('*' * size)])
    case('binary of %d' % size, frame(BINARY, b'\xfe' * size), [binary(b'\xfe' * size)])
case('byte by byte', [bytes([b]) for b in frame(TEXT, b'in pieces')], ['text in pieces'])
case('a head in two pieces', [frame(TEXT, b'y' * 300)[:3], frame(TEXT, b'y' * 300)[3:]], [text('y' * 300)])
case('many in one piece', b''.join(frame(TEXT, b'%d' % i) for i in range(20)), ['text %d' % i for i in range(20)])
case('a length in more bytes than needed', b'\x81\x7e\x00\x02ok' + b'\x82\x7f' + bytes(7) + b'\x01!', ['text ok', 'binary 21'])

# 2 pings and pongs
for payload in (b'', b'Hello', bytes(range(125))):
    case('ping of %d' % len(payload), frame(PING, payload), ['ping'], [(PONG, payload)])
case('ping byte by byte', [bytes([b]) for b in frame(PING, b'abc')], ['ping'], [(PONG, b'abc')])
case('ten pings', b''.join(frame(PING, b'%d' % i) for i in range(10)), ['ping'] * 10, [(PONG, b'%d' % i) for i in range(10)])
breach('ping of 126', frame(PING, b'x' * 126), 'len > 125 for control')
breach('ping of 70000', frame(PING, b'x' * 70000), 'len > 125 for control')
for payload in (b'', b'unasked'):
    case('pong of %d that nobody asked for' % len(payload), frame(PONG, payload), ['pong'])
case('pong and ping', frame(PONG, b'a') + frame(PING, b'b'), ['pong', 'ping'], [(PONG, b'b')])
breach('pong of 126', frame(PONG, b'x' * 126), 'len > 125 for control')

# 3 reserved bits
for rsv in range(1, 8):
    words = ', '.join('RSV%d set' % (i + 1) for i in range(3) if rsv & 4 >> i)
    breach('reserved bits %d in text' % rsv, frame(TEXT, b'x', rsv=rsv), words)
    breach('reserved bits %d in a ping, behind a message' % rsv, frame(TEXT, b'ok') + frame(PING, rsv=rsv), words, ['text ok'])
breach('a reserved bit in a close frame', frame(CLOSE, NORMAL, rsv=2), 'RSV2 set')
breach('compressed without an agreement', frame(TEXT, b'\xf2\x48\xcd\xc9\xc9\x07\x00', rsv=4), 'RSV1 set')

# 4 opcodes
for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    breach('opcode %d' % opcode, frame(opcode), 'bad opcode %d' % opcode)
    breach('opcode %d behind a message' % opcode, frame(TEXT, b'ok') + frame(opcode, b'x'), 'bad opcode %d' % opcode, ['text ok'])
breach('opcode 3 that is not final either', frame(3, final=False), 'bad opcode 3')

# 5 fragments
case('two fragments', frame(TEXT, b'one ', False) + frame(CONTINUATION, b'two'), ['text one two'])
case('three fragments in three pieces', [frame(BINARY, b'\1', False), frame(CONTINUATION, b'\2', False),
                                         frame(CONTINUATION, b'\3')], ['binary 010203'])
case('empty fragments', frame(TEXT, b'', False) + frame(CONTINUATION, b'', False) + frame(CONTINUATION), ['text '])
case('an empty last fragment', frame(TEXT, b'x', False) + frame(CONTINUATION), ['text x'])
case('fragments byte by byte', [bytes([b]) for b in frame(TEXT, b'ab', False) + frame(CONTINUATION, b'cd')], ['text abcd'])
case('a hundred fragments', frame(TEXT, b'0', False) + b''.join(frame(CONTINUATION, b'%d' % (i % 10), False) for i in range(1, 99))
     + frame(CONTINUATION, b'9'), [text(''.join(str(i % 10) for i in range(100)))])
case('large fragments', frame(BINARY, b'\0' * 70000, False) + frame(CONTINUATION, b'\1' * 70000), [binary(b'\0' * 140000)])
case('a ping between fragments', frame(TEXT, b'a', False) + frame(PING, b'mid') + frame(CONTINUATION, b'b'), ['ping', 'text ab'],
     [(PONG, b'mid')])
case('pings and pongs between fragments', frame(TEXT, b'a', False) + frame(PING) + frame(PONG) + frame(CONTINUATION, b'b', False)
     + frame(PING) + frame(CONTINUATION, b'c'), ['ping', 'pong', 'ping', 'text abc'], [(PONG, b'')] * 2)
case('a close frame between fragments', frame(TEXT, b'lost', False) + BYE, ['close 1000 '], ANSWERED)
breach('a ping in fragments', frame(PING, b'a', False) + frame(CONTINUATION, b'b'), 'FIN not set on control')
breach('a pong in fragments', frame(PONG, b'a', False), 'FIN not set on control')
breach('a close frame in fragments', frame(CLOSE, NORMAL, False), 'FIN not set on control')
breach('a continuation of nothing', frame(CONTINUATION, b'x'), 'continuation after FIN')
breach('a continuation of nothing that goes on', frame(CONTINUATION, b'x', False) + frame(TEXT, b'y'), 'continuation after FIN')
breach('a continuation behind a message', frame(TEXT, b'ok') + frame(CONTINUATION, b'x'), 'continuation after FIN', ['text ok'])
breach('a message in a message', frame(TEXT, b'a', False) + frame(TEXT, b'b'), 'data before FIN')
breach('a binary message in a text', frame(TEXT, b'a', False) + frame(BINARY, b'b', False), 'data before FIN')
breach('everything at once', frame(9, b'x' * 126, False, rsv=7), 'RSV1 set, RSV2 set, RSV3 set, len > 125 for control, '
       'FIN not set on control')

# masks: a server's frames have none
breach('a masked message', frame(TEXT, b'x', mask=b'\1\2\3\4'), 'bad MASK')
breach('a masked ping', frame(PING, mask=b'\1\2\3\4'), 'bad MASK')
breach('a masked close frame with a reserved bit', frame(CLOSE, NORMAL, rsv=1, mask=b'\0\0\0\0'), 'RSV3 set, bad MASK')

# 6 UTF-8: k6 shows what is none as U+FFFD, a byte each
for good in ('κόσμε', '\x00', '\x7f', '\x80', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\ufffd', '\uffff', '\U00010000', '\U0010ffff',
             'Hello-µ@ßöäüàá-UTF-8!!'):
    case('UTF-8 %s' % good.encode('unicode_escape').decode(), frame(TEXT, good.encode()), [text(good)])
for bad, shown in ((b'\x80', 1), (b'\xbf', 1), (b'\xc0\xaf', 2), (b'\xc1\xbf', 2), (b'\xe0\x80\xaf', 3), (b'\xed\xa0\x80', 3),
                   (b'\xf0\x80\x80\xaf', 4), (b'\xf4\x90\x80\x80', 4), (b'\xf8\x88\x80\x80\x80', 5), (b'\xfe', 1), (b'\xff\xff', 2),
                   (b'\xc3', 1), (b'\xe2\x82', 2), (b'\xf0\x9f\x98', 3)):
    case('no UTF-8: %s' % bad.hex(), frame(TEXT, b'a' + bad + b'z'), ['text a' + '\ufffd' * shown + 'z'])
case('a character over two fragments', frame(TEXT, b'\xe2\x82', False) + frame(CONTINUATION, b'\xac'), ['text €'])
case('bytes that are no text', frame(BINARY, b'\xff\xc0\x00'), ['binary ffc000'])

# 7 closing
for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999):
    words = {1002: ' (protocol error)', 1003: ' (unsupported data)', 1007: ' (invalid payload data)', 1008: ' (policy violation)',
             1009: ' (message too big)', 1010: ' (mandatory extension missing)', 1011: ' (internal server error)'}.get(code, '')
    error = [] if code in (1000, 1001) else ['error websocket: close %d%s: why' % (code, words)]
    case('code %d' % code, frame(CLOSE, struct.pack('>H', code) + b'why'), error + ['close %d why' % code],
         [(CLOSE, struct.pack('>H', code))])
for code in (0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
    breach('code %d, which is none' % code, frame(CLOSE, struct.pack('>H', code)), 'bad close code %d' % code)
case('no code', frame(CLOSE), ['error websocket: close 1005 (no status)', 'close 1005 '], [(CLOSE, b'')])
case('half a code', frame(CLOSE, b'\x03'), ['error websocket: close 1005 (no status)', 'close 1005 '], [(CLOSE, b'')])
case('a reason of 123 bytes', frame(CLOSE, NORMAL + b'r' * 123), ['close 1000 ' + 'r' * 123], ANSWERED)
breach('a reason of 124 bytes', frame(CLOSE, NORMAL + b'r' * 124), 'len > 125 for control')
case('a reason in UTF-8', frame(CLOSE, NORMAL + 'grün'.encode()), ['close 1000 grün'], ANSWERED)
breach('a reason that is no UTF-8', frame(CLOSE, NORMAL + b'\xc3\x28'), 'invalid utf8 payload in close frame')
case('a message behind the close frame', BYE + frame(TEXT, b'late'), ['close 1000 '], ANSWERED)
case('a ping behind the close frame', BYE + frame(PING, b'late'), ['close 1000 '], ANSWERED)
case('an end without a close frame', [frame(TEXT, b'x'), None],
     ['text x', 'error websocket: close 1006 (abnormal closure): unexpected EOF', 'close 1006 unexpected EOF'], [])
case('an end in a frame', [frame(TEXT, b'xyz')[:3], None],
     ['error websocket: close 1006 (abnormal closure): unexpected EOF', 'close 1006 unexpected EOF'], [])

SCRIPT = '''
import { WebSocket } from 'k6/websockets';
function show(data) {
    if (typeof data === 'string') return 'text ' + (data.length <= LONG ? data : data.length);
    const bytes = new Uint8Array(data);
    return 'binary ' + (bytes.length <= LONG ? [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('') : bytes.length);
}
export default function () {
    for (let i = 0; i < COUNT; i++) {
        const ws = new WebSocket(URL + '/' + i), log = [];
        ws.binaryType = 'arraybuffer';
        ws.onopen = () => log.push('open');
        ws.onmessage = (e) => log.push(show(e.data));
        ws.onping = () => log.push('ping');
        ws.onpong = () => log.push('pong');
        ws.onerror = (e) => log.push('error ' + e.error);
        ws.onclose = (e) => { log.push(`close ${e.code} ${e.reason}`); console.log(JSON.stringify([i, log])); };
    }
}
'''


class Cases(unittest.TestCase):
    def test_each_case(self):
        answers = {}

        def serve(connection):
            number = int(re.match(r'GET /(\d+) ', connection.request).group(1))
            got = answers[number] = []
            pieces = CASES[number][1]
            try:
                for piece in pieces:
                    if piece is None:
                        return
                    connection.raw.sendall(piece)
                while True:
                    opcode, payload = connection.read()
                    got.append((opcode, payload))
                    if opcode == CLOSE:
                        return
            except (EOFError, OSError):
                pass  # the client gave up

        with Peer(serve) as peer:
            source = SCRIPT.replace('URL', json.dumps(peer.url)).replace('COUNT', str(len(CASES))).replace('LONG', str(LONG))
            run = kiln('run', '--quiet', '--log-format', 'raw', script(self, source))
        self.assertEqual(run.code, 0, run.err)
        events = dict(json.loads(line) for line in run.err.splitlines() if line.startswith('['))
        for number, (name, _, expected, expected_answers) in enumerate(CASES):
            with self.subTest(name):
                self.assertEqual(events.get(number), expected)
                self.assertEqual(answers.get(number), expected_answers)
        self.assertGreater(len(CASES), 100)


if __name__ == '__main__':
    unittest.main()
