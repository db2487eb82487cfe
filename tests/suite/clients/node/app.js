// The Node app of `node_books.py`: a plain HTTP server and its caller in one process, both instrumented by
// OpenTelemetry. Arguments: transport, endpoint, module, and the calls to make as JSON. Prints how many spans were
// acknowledged to its exporter.
"use strict";

const { context, trace } = require("@opentelemetry/api");
const { getRPCMetadata } = require("@opentelemetry/core");
const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor, NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");

const PACKAGES = { grpc: "grpc", http: "proto", json: "http" };
const [transport, endpoint, module_, calls] = process.argv.slice(2);

function countedExporter(acknowledged) {
  const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${PACKAGES[transport]}`);
  const url = transport === "grpc" ? endpoint : `${endpoint}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url });
  const send = exporter.export.bind(exporter);
  exporter.export = (spans, done) =>
    send(spans, (result) => {
      if (result.code === 0) acknowledged.push(spans.length);
      done(result);
    });
  return exporter;
}

const acknowledged = [];
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": module_ }),
  spanProcessors: [new BatchSpanProcessor(countedExporter(acknowledged))],
});
provider.register();
registerInstrumentations({
  instrumentations: [
    new HttpInstrumentation({
      headersToSpanAttributes: { server: { requestHeaders: ["x-tenant-id"] } },
    }),
  ],
});
// Only from here on `http` is instrumented.
const http = require("http");

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const [, place, status] = url.pathname.split("/");
  // What a framework's router does.
  if (place === "rag") getRPCMetadata(context.active()).route = "/rag/:status";
  const tenant = url.searchParams.get("tenant");
  if (tenant) trace.getActiveSpan().setAttribute("tenant.id", tenant);
  response.statusCode = Number(status);
  response.end();
});

function call(port, { path, headers, status }) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      response.resume().on("end", () => (response.statusCode === status ? resolve() : reject(new Error(path))));
    });
    request.on("error", reject);
  });
}

async function main() {
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  for (const wanted of JSON.parse(calls)) {
    for (let n = 0; n < wanted.count; n += 1) await call(port, wanted);
  }
  // A server span ends when its connection's response closes: all have when the server has.
  await new Promise((closed) => server.close(closed));
  await provider.forceFlush();
  await provider.shutdown();
  console.log(JSON.stringify(acknowledged));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
