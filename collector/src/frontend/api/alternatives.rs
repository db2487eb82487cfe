//! What handlers may answer instead of what they are for, as the description of the API tells it: every problem code
//! with its status, spelled where the codes are.

use std::collections::BTreeMap;

use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{IntoResponses, ToSchema};

use crate::frontend::http::problem::{Code, MEDIA_TYPE, ProblemBody};

/// Responses by status.
type Responses = BTreeMap<String, RefOr<Response>>;

/// Of a list.
pub(crate) struct OfLists;

impl IntoResponses for OfLists {
    fn responses() -> Responses {
        unchanged_or(&[
            Code::BadRequest,
            Code::UnknownParameter,
            Code::BadCursor,
            Code::NotAcceptable,
            Code::UnknownHost,
            Code::LimitExceeded,
            Code::Overloaded,
        ])
    }
}

/// Of the list of series, which also knows `step`.
pub(crate) struct OfSeries;

impl IntoResponses for OfSeries {
    fn responses() -> Responses {
        let unusable = problems(&[Code::Invalid, Code::LimitExceeded]);
        OfLists::responses().into_iter().chain(unusable).collect()
    }
}

/// Of a document.
pub(crate) struct OfDocuments;

impl IntoResponses for OfDocuments {
    fn responses() -> Responses {
        unchanged_or(&[Code::UnknownParameter, Code::NotAcceptable])
    }
}

/// Of the document about one kind of problem.
pub(crate) struct OfProblem;

impl IntoResponses for OfProblem {
    fn responses() -> Responses {
        unchanged_or(&[Code::UnknownParameter, Code::NotFound, Code::NotAcceptable])
    }
}

/// Of one of many, by its id.
pub(crate) struct OfOne;

impl IntoResponses for OfOne {
    fn responses() -> Responses {
        unchanged_or(&[
            Code::BadRequest,
            Code::UnknownParameter,
            Code::NotFound,
            Code::NotAcceptable,
            Code::UnknownHost,
            Code::Overloaded,
        ])
    }
}

/// Of what orders something.
pub(crate) struct OfOrders;

impl IntoResponses for OfOrders {
    fn responses() -> Responses {
        problems(&[
            Code::BadRequest,
            Code::UnknownParameter,
            Code::CrossSite,
            Code::NotFound,
            Code::TooLarge,
            Code::UnknownHost,
            Code::Invalid,
            Code::LimitExceeded,
            Code::Overloaded,
        ])
    }
}

/// Of `/metrics`, which has no validator and takes every `Accept`.
pub(crate) struct OfMetrics;

impl IntoResponses for OfMetrics {
    fn responses() -> Responses {
        problems(&[Code::BadRequest, Code::UnknownParameter, Code::UnknownHost, Code::Overloaded])
    }
}

/// Of probes, whose 503 is a text and no problem.
pub(crate) struct OfProbes;

impl IntoResponses for OfProbes {
    fn responses() -> Responses {
        problems(&[Code::UnknownParameter])
    }
}

fn unchanged_or(codes: &[Code]) -> Responses {
    let mut responses = problems(codes);
    responses.insert("304".to_owned(), Response::new("Nothing changed since `If-None-Match`").into());
    responses
}

/// One response for each status, with the codes that it comes with.
fn problems(codes: &[Code]) -> Responses {
    let mut names: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for code in codes {
        names.entry(code.status().as_u16()).or_default().push(format!("`{}`", code.name()));
    }
    let told = |names: Vec<String>| {
        let mut response = Response::new(names.join(", "));
        let body = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
        response.content.insert(MEDIA_TYPE.to_owned(), body.into());
        response
    };
    names.into_iter().map(|(status, names)| (status.to_string(), told(names).into())).collect()
}
