"""OpenTelemetry's own exporters for Python, by transport, counting what was acknowledged to them.

Nothing of the SDK is replaced: a counter stands in front of `export`.
"""

import importlib

TRANSPORTS = ("grpc", "http", "json")
_PACKAGES = {
    "grpc": "opentelemetry.exporter.otlp.proto.grpc",
    "http": "opentelemetry.exporter.otlp.proto.http",
    "json": "opentelemetry.exporter.otlp.json.http",
}


def endpoint(daemon, transport: str) -> str:
    """Where a transport is received."""
    return daemon.grpc if transport == "grpc" else f"http://{daemon.http}"


def _exporter(transport: str, endpoint: str, signal: str, name: str, **options):
    exporter = getattr(importlib.import_module(f"{_PACKAGES[transport]}.{signal}_exporter"), name)
    if transport == "grpc":
        return exporter(endpoint=endpoint, insecure=True, **options)
    return exporter(endpoint=f"{endpoint}/v1/{'traces' if signal == 'trace' else 'metrics'}", **options)


def _counted(exporter, items, acknowledged: list[int]):
    export = exporter.export

    def counting(batch, *arguments, **options):
        result = export(batch, *arguments, **options)
        if result.name == "SUCCESS":
            acknowledged.append(items(batch))
        return result

    exporter.export = counting
    return exporter


def span_exporter(transport: str, endpoint: str, acknowledged: list[int], **options):
    """Appends the spans of each acknowledged export."""
    exporter = _exporter(transport, endpoint, "trace", "OTLPSpanExporter", **options)
    return _counted(exporter, len, acknowledged)


def metric_exporter(transport: str, endpoint: str, acknowledged: list[int], **options):
    """Appends the data points of each acknowledged export."""

    def points(data) -> int:
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return sum(len(metric.data.data_points) for scope in scopes for metric in scope.metrics)

    exporter = _exporter(transport, endpoint, "metric", "OTLPMetricExporter", **options)
    return _counted(exporter, points, acknowledged)
