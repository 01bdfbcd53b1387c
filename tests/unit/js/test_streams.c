#include "script_test.h"

#define RUN(code)                                                                        \
    "import { ReadableStream, CountQueuingStrategy, ReadableStreamDefaultReader, "       \
    "WritableStream } from 'k6/experimental/streams';"                                   \
    "const show = async (f) => { try { console.log(JSON.stringify(await f())); } catch " \
    "(e) { console.log(String(e)); } };"                                                 \
    "export default async function () { " code " }"

static void chunks_come_in_order_and_then_the_end(void **state) {
    (void)state;
    expect_log(RUN("const s = new ReadableStream({ start(c) { c.enqueue('a'); c.enqueue('b'); "
                   "c.close(); } }); const r = s.getReader();"
                   "for (let i = 0; i < 4; i++) await show(() => r.read());"
                   "await r.closed; console.log('closed', s.locked);"),
               "info: {\"value\":\"a\",\"done\":false}\ninfo: {\"value\":\"b\",\"done\":false}\n"
               "info: {\"done\":true}\ninfo: {\"done\":true}\ninfo: closed true\n");
}

static void pull_runs_as_long_as_there_is_room(void **state) {
    (void)state;
    expect_log(RUN("let n = 0; const s = new ReadableStream({ pull(c) { c.enqueue(++n); } }, "
                   "new CountQueuingStrategy({ highWaterMark: 3 }));"
                   "await new Promise((r) => setTimeout(r, 1)); console.log(n);"
                   "const r = s.getReader(); console.log((await r.read()).value);"
                   "await new Promise((f) => setTimeout(f, 1)); console.log(n);"),
               "info: 3\ninfo: 1\ninfo: 4\n");
}

static void asynchronous_pulls_do_not_overlap(void **state) {
    (void)state;
    expect_log(
        RUN("let n = 0, running = 0, most = 0; const s = new ReadableStream({ async pull(c) {"
            "  most = Math.max(most, ++running); await new Promise((r) => setTimeout(r, 1));"
            "  running--; n < 3 ? c.enqueue(n++) : c.close(); } }, { highWaterMark: 0 });"
            "const r = s.getReader(); const all = [];"
            "for (const x of await Promise.all([r.read(), r.read(), r.read(), r.read()])) "
            "all.push(x.done ? 'end' : x.value); console.log(all.join(), most);"),
        "info: 0,1,2,end 1\n");
}

static void errors_reach_the_reader(void **state) {
    (void)state;
    expect_log(RUN("const s = new ReadableStream({ pull() { throw new Error('dry'); } });"
                   "const r = s.getReader(); await show(() => r.read()); await show(() => "
                   "r.closed); await show(() => r.cancel());"
                   "let c; const t = new ReadableStream({ start(x) { c = x; } }); c.error('no');"
                   "await show(() => t.getReader().read()); await show(() => c.enqueue(1));"
                   "console.log(c.desiredSize);"),
               "info: Error: dry\ninfo: Error: dry\ninfo: Error: dry\ninfo: no\n"
               "info: TypeError: cannot close or enqueue\ninfo: null\n");
}

static void cancel_tells_the_source(void **state) {
    (void)state;
    expect_log(RUN("const s = new ReadableStream({ start(c) { c.enqueue(1); }, cancel(why) { "
                   "console.log('cancelled', why); } }); const r = s.getReader();"
                   "await show(() => s.cancel('x')); await r.cancel('enough');"
                   "await show(() => r.read());"),
               "info: TypeError: cannot cancel a locked stream\ninfo: cancelled enough\n"
               "info: {\"done\":true}\n");
}

static void released_readers_are_dead_and_the_stream_is_not(void **state) {
    (void)state;
    expect_log(RUN("let c; const s = new ReadableStream({ start(x) { c = x; } });"
                   "const r = s.getReader(), waiting = r.read();"
                   "await show(() => s.getReader()); r.releaseLock(); r.releaseLock();"
                   "await show(() => waiting); await show(() => r.read()); c.enqueue(7);"
                   "await show(() => new ReadableStreamDefaultReader(s).read());"),
               "info: TypeError: stream is locked\ninfo: TypeError: reader released\n"
               "info: TypeError: stream is undefined\ninfo: {\"value\":7,\"done\":false}\n");
}

static void bad_arguments_have_k6_s_words(void **state) {
    (void)state;
    expect_log(
        RUN("for (const f of [() => new ReadableStream(5), () => new ReadableStream({ type: 'x' }), "
            "() => new ReadableStream({ type: 'bytes' }), () => new ReadableStream({ pull: 1 }), () "
            "=> new ReadableStream({}, { highWaterMark: -1 }), () => new ReadableStream({}, { size: "
            "1 }), () => new CountQueuingStrategy(), () => new CountQueuingStrategy({}), () => new "
            "ReadableStream().getReader({ mode: 'byob' }), () => new ReadableStream().tee(), () => "
            "new ReadableStreamDefaultReader({}), () => new WritableStream({ type: 1 }), () => new "
            "ReadableStream({ start(c) { c.enqueue(1); } }, { size: () => NaN })]) await show(f);"),
        "info: TypeError: underlyingSource must be an object\n"
        "info: TypeError: invalid underlying source type\n"
        "info: GoError: NotSupportedError:'bytes' stream is not supported yet\n"
        "info: TypeError: underlyingSource.[[pull]] must be a function\n"
        "info: RangeError: highWaterMark must be a non-negative number\n"
        "info: TypeError: size must be a function\n"
        "info: TypeError: CountQueuingStrategy takes a single argument\n"
        "info: TypeError: CountQueuingStrategy argument must have 'highWaterMark' property\n"
        "info: GoError: NotSupportedError:'byob' mode is not supported yet\n"
        "info: GoError: NotSupportedError:'tee()' is not supported yet\n"
        "info: TypeError: ReadableStreamDefaultReader argument must be a ReadableStream\n"
        "info: RangeError: 'type' is not supported by WritableStream\n"
        "info: RangeError: size must be a finite, non-NaN number\n");
}

static void writes_happen_one_after_the_other(void **state) {
    (void)state;
    expect_log(RUN("const got = []; const s = new WritableStream({ async write(x) { await new "
                   "Promise((r) => setTimeout(r, 1)); got.push(x); }, close() { got.push('end'); } "
                   "}, { highWaterMark: 2 });"
                   "const w = s.getWriter(); console.log(w.desiredSize);"
                   "w.write(1); w.write(2); console.log(w.desiredSize);"
                   "await w.ready; console.log(got.join()); w.write(3); await w.close();"
                   "console.log(got.join(), w.desiredSize, s.locked); await w.closed;"
                   "await show(() => w.write(4)); await show(() => w.close());"),
               "info: 2\ninfo: 0\ninfo: 1\ninfo: 1,2,3,end 0 true\n"
               "info: TypeError: stream is closing or closed\n"
               "info: TypeError: stream is already closed or errored\n");
}

static void failed_writes_error_the_stream(void **state) {
    (void)state;
    expect_log(RUN("const s = new WritableStream({ write(x) { throw new Error('full'); } });"
                   "const w = s.getWriter(); const second = w.write(1).catch(() => "
                   "w.write(2)); await show(() => second); await show(() => w.closed);"
                   "await show(() => w.ready); console.log(w.desiredSize);"),
               "info: Error: full\ninfo: Error: full\ninfo: Error: full\ninfo: null\n");
}

static void abort_drops_what_is_queued(void **state) {
    (void)state;
    expect_log(RUN("const s = new WritableStream({ write() { return new Promise((r) => "
                   "setTimeout(r, 1)); }, abort(why) { console.log('aborted', why); } });"
                   "const w = s.getWriter(); await null; const a = w.write(1), b = w.write(2);"
                   "const done = w.abort('stop'); w.closed.catch(() => {});"
                   "await show(() => a); await show(() => b); await done;"
                   "await show(() => s.abort()); w.releaseLock(); await show(() => w.write(3));"
                   "await show(() => s.close());"),
               "info: aborted stop\ninfo: undefined\ninfo: stop\n"
               "info: TypeError: cannot abort a locked stream\n"
               "info: TypeError: stream is undefined\n"
               "info: TypeError: stream is already closed or errored\n");
}

static void blobs_stream_in_pieces(void **state) {
    (void)state;
    expect_log("import { Blob } from 'k6/websockets';"
               "import { ReadableStream } from 'k6/experimental/streams';"
               "export default async function () {"
               "  const s = new Blob(['a'.repeat(1500)]).stream(), r = s.getReader();"
               "  console.log(s instanceof ReadableStream);"
               "  for (;;) { const { done, value } = await r.read();"
               "    console.log(done, done || value.length); if (done) break; }"
               "}",
               "info: true\ninfo: false 1024\ninfo: false 476\ninfo: false 0\ninfo: true true\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_come_in_order_and_then_the_end),
        cmocka_unit_test(pull_runs_as_long_as_there_is_room),
        cmocka_unit_test(asynchronous_pulls_do_not_overlap),
        cmocka_unit_test(errors_reach_the_reader),
        cmocka_unit_test(cancel_tells_the_source),
        cmocka_unit_test(released_readers_are_dead_and_the_stream_is_not),
        cmocka_unit_test(bad_arguments_have_k6_s_words),
        cmocka_unit_test(writes_happen_one_after_the_other),
        cmocka_unit_test(failed_writes_error_the_stream),
        cmocka_unit_test(abort_drops_what_is_queued),
        cmocka_unit_test(blobs_stream_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
