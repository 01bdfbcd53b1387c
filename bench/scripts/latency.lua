-- Prints the percentiles that wrk's own report leaves out.
function done(summary, latency, requests)
  io.write(string.format("percentiles p50=%f p95=%f p99=%f p99.9=%f\n",
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000))
end
