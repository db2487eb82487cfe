//! Grafana dashboards of Bailiwick as functions. Empty so far.
