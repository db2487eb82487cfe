//! The form of a Grafana dashboard (classic model, `schemaVersion` 39: Grafana 10 to 13 migrate it on load). Values
//! only; what is the same for all dashboards is settled here.

use serde::Serialize;
use serde_json::{Value, json};

/// Version of the classic model.
pub const SCHEMA_VERSION: u32 = 39;
/// Name of the one variable of data sources.
pub const DATASOURCE: &str = "datasource";
/// Columns of Grafana's grid.
pub const COLUMNS: u32 = 24;

/// A dashboard.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Stable for ever: links and provisioning use it.
    pub uid: &'static str,
    /// What it shows, in two words.
    pub title: &'static str,
    /// What question it answers.
    pub description: &'static str,
    /// Always `bailiwick`.
    pub tags: [&'static str; 1],
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Provisioned dashboards are not edited in place.
    pub editable: bool,
    /// How often it asks again.
    pub refresh: &'static str,
    /// What span of time it opens with.
    pub time: TimeRange,
    /// Links to the other dashboards, by tag.
    pub links: Vec<Link>,
    /// Its variables.
    pub templating: Templating,
    /// What it shows.
    pub panels: Vec<Panel>,
}

/// A span of time in Grafana's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimeRange {
    /// Its begin.
    pub from: &'static str,
    /// Its end.
    pub to: &'static str,
}

/// A list of dashboards with a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Always `dashboards`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What the list is called.
    pub title: &'static str,
    /// The tag.
    pub tags: [&'static str; 1],
    /// One menu instead of many links.
    pub as_dropdown: bool,
    /// Whether variables go along.
    pub include_vars: bool,
    /// Whether the time goes along.
    pub keep_time: bool,
}

/// The variables of a dashboard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Templating {
    /// In the order in which one depends on the other.
    pub list: Vec<Variable>,
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Variable {
    /// The data source.
    Source(SourceVariable),
    /// Values of a label.
    Label(LabelVariable),
}

/// The one variable of data sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceVariable {
    /// [`DATASOURCE`].
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// Always `datasource`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Kind of data source.
    pub query: &'static str,
}

/// A variable over the values of a label.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelVariable {
    /// Its name, equal to the label's.
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// Always `query`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where values come from.
    pub datasource: SourceRef,
    /// `label_values(...)`.
    pub query: Value,
    /// The same, as Grafana shows it.
    pub definition: String,
    /// Several values at once.
    pub multi: bool,
    /// All values at once.
    pub include_all: bool,
    /// What stands for all of them.
    pub all_value: &'static str,
    /// 2: when the time range changes.
    pub refresh: u32,
    /// 1: by name.
    pub sort: u32,
    /// What is chosen at first.
    pub current: Value,
}

/// A data source by variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceRef {
    /// Kind of data source.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The variable.
    pub uid: &'static str,
}

/// A panel, or the heading of a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Panel {
    /// Number inside the dashboard.
    pub id: u32,
    /// Kind of panel.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// What it means, and what to do about it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub description: &'static str,
    /// Where it is.
    pub grid_pos: GridPos,
    /// Where its figures come from; a heading has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datasource: Option<SourceRef>,
    /// What it asks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// How figures are written.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub field_config: Value,
    /// How they are drawn.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub options: Value,
    /// What happens to answers before they are drawn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<Value>,
}

/// A place in the grid of 24 columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GridPos {
    /// Height.
    pub h: u32,
    /// Width.
    pub w: u32,
    /// Column.
    pub x: u32,
    /// Row.
    pub y: u32,
}

/// A query of a panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Letter inside the panel.
    pub ref_id: String,
    /// Where it is asked.
    pub datasource: SourceRef,
    /// PromQL.
    pub expr: String,
    /// How a series is called; empty: by its labels.
    pub legend_format: &'static str,
    /// The present value only.
    pub instant: bool,
    /// Values over time.
    pub range: bool,
    /// Whether trace ids come along.
    pub exemplar: bool,
    /// `time_series`, `table` or `heatmap`.
    pub format: &'static str,
}

impl SourceRef {
    /// The data source that the dashboard's variable names.
    #[must_use]
    pub const fn variable() -> Self {
        Self { kind: "prometheus", uid: "${datasource}" }
    }
}

impl Variable {
    /// The variable of data sources.
    #[must_use]
    pub const fn source() -> Self {
        Self::Source(SourceVariable { name: DATASOURCE, label: "Data source", kind: "datasource", query: "prometheus" })
    }

    /// A variable over the values of the label `name` in the series that `selector` selects.
    #[must_use]
    pub fn label(name: &'static str, label: &'static str, selector: &str) -> Self {
        let definition = format!("label_values({selector}, {name})");
        Self::Label(LabelVariable {
            name,
            label,
            kind: "query",
            datasource: SourceRef::variable(),
            query: json!({"query": definition, "refId": name}),
            definition,
            multi: true,
            include_all: true,
            all_value: ".*",
            refresh: 2,
            sort: 1,
            current: json!({"text": ["All"], "value": ["$__all"], "selected": true}),
        })
    }
}

impl Dashboard {
    /// A dashboard with what all of them share.
    #[must_use]
    pub fn new(uid: &'static str, [title, description]: [&'static str; 2], variables: Vec<Variable>) -> Self {
        let list = std::iter::once(Variable::source()).chain(variables).collect();
        Self {
            uid,
            title,
            description,
            tags: ["bailiwick"],
            schema_version: SCHEMA_VERSION,
            editable: false,
            refresh: "1m",
            time: TimeRange { from: "now-1h", to: "now" },
            links: vec![Link {
                kind: "dashboards",
                title: "Bailiwick",
                tags: ["bailiwick"],
                as_dropdown: true,
                include_vars: true,
                keep_time: true,
            }],
            templating: Templating { list },
            panels: Vec::new(),
        }
    }

    /// The JSON as it is committed: indented, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("plain values with text keys make JSON");
        text + "\n"
    }
}
