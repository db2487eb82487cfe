//! OpenTelemetry for services of a multi-tenant platform. Empty so far.
