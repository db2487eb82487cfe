//! A service of two modules that answers a few requests for a tenant and ends: run it beside `bailiwick` and look at
//! `/v1/series`. No server listens? Then it runs and ends all the same.

use std::time::Duration;

use bailiwick_sdk::{answered, module_span, request_span, tenant};

fn main() -> Result<(), bailiwick_sdk::Error> {
    let telemetry = bailiwick_sdk::builder().service("ai-stack").module("chat_orchestrator").install()?;

    for number in 0..10 {
        let request = request_span("POST", "/rag/query");
        let status = request.in_scope(|| handle(if number % 3 == 0 { "globex" } else { "acme" }));
        answered(&request, status);
    }

    let report = telemetry.shutdown(Duration::from_secs(5)).wait();
    println!("{} spans delivered, {} lost, timed out: {}", report.flushed, report.dropped, report.timed_out);
    Ok(())
}

fn handle(caller: &str) -> u16 {
    if tenant(caller).is_err() {
        return 400;
    }
    let documents = module_span("rag_hub", "retrieve").in_scope(|| caller.len());
    if documents > 0 { 200 } else { 404 }
}
