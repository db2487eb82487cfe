//! `Accept` with q-values (RFC 9110, 12.5.1), as far as this listener's formats need it.

use crate::frontend::exposition::document::Format;

/// One media range of the header.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range<'a> {
    media: &'a str,
    version: Option<&'a str>,
    /// Weight in thousandths.
    q: u16,
}

fn ranges(accept: &str) -> impl Iterator<Item = Range<'_>> {
    accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().filter(|media| !media.is_empty())?;
        let mut found = Range { media, version: None, q: 1_000 };
        for part in parts {
            match part.split_once('=') {
                Some((key, value)) if key.trim().eq_ignore_ascii_case("q") => found.q = weight(value.trim()),
                Some((key, value)) if key.trim().eq_ignore_ascii_case("version") => {
                    found.version = Some(value.trim().trim_matches('"'));
                }
                _ => {}
            }
        }
        Some(found)
    })
}

/// A q-value in thousandths; nonsense counts as 1, as if it were not there.
fn weight(text: &str) -> u16 {
    match text.parse::<f32>() {
        Ok(q) if (0.0..=1.0).contains(&q) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
            let thousandths = (q * 1_000.0).round() as u16;
            thousandths
        }
        _ => 1_000,
    }
}

/// The exposition format for this header: the highest weight, the first of equals; anything else is text.
pub(crate) fn exposition(accept: Option<&str>) -> Format {
    let mut best: Option<(u16, Format)> = None;
    for range in ranges(accept.unwrap_or_default()) {
        let format = match (range.media.to_ascii_lowercase().as_str(), range.version) {
            ("application/openmetrics-text", None | Some("1.0.0")) => Format::OpenMetrics,
            ("text/plain", None | Some("0.0.4")) => Format::Text,
            _ => continue,
        };
        if range.q > 0 && best.is_none_or(|(q, _)| range.q > q) {
            best = Some((range.q, format));
        }
    }
    best.map_or(Format::Text, |(_, format)| format)
}

/// Whether JSON will do. The most specific range decides; without the header everything will.
pub(crate) fn takes_json(accept: Option<&str>) -> bool {
    let Some(accept) = accept else { return true };
    let specific = |range: &Range<'_>| match range.media.to_ascii_lowercase().as_str() {
        "application/json" | "application/problem+json" => Some(2),
        "application/*" => Some(1),
        "*/*" | "*" => Some(0),
        _ => None,
    };
    ranges(accept).filter_map(|range| specific(&range).map(|level| (level, range.q))).max().is_some_and(|(_, q)| q > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_gets_openmetrics_and_curl_gets_text() {
        // Prometheus 2.42 sends the first, Prometheus 3 with protobuf enabled the second.
        let v2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                  text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let v3 = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                  application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3";
        for prometheus in [v2, v3] {
            assert_eq!(exposition(Some(prometheus)), Format::OpenMetrics);
        }
        for other in [None, Some("*/*"), Some(""), Some("text/html,*/*;q=0.8"), Some("image/png")] {
            assert_eq!(exposition(other), Format::Text);
        }
    }

    #[test]
    fn the_higher_weight_wins_and_zero_refuses() {
        assert_eq!(exposition(Some("application/openmetrics-text;q=0.2, text/plain;q=0.3")), Format::Text);
        assert_eq!(exposition(Some("application/openmetrics-text;q=0.4, text/plain;q=0.3")), Format::OpenMetrics);
        assert_eq!(exposition(Some("application/openmetrics-text;q=0, text/plain;q=0.1")), Format::Text);
        assert_eq!(exposition(Some("application/openmetrics-text;version=0.0.1")), Format::Text);
    }

    #[test]
    fn json_is_refused_only_to_those_who_refuse_it() {
        for taker in ["application/json", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/*;q=0.1"] {
            assert!(takes_json(Some(taker)), "{taker}");
        }
        for refuser in ["text/html", "application/json;q=0", "*/*, application/json;q=0", "text/*"] {
            assert!(!takes_json(Some(refuser)), "{refuser}");
        }
        assert!(takes_json(None));
    }
}
