//! Panels with what the lint asks of every one of them: a title, a description, a unit, words for "no value". Layout
//! is left to right, top to bottom; nobody counts grid positions by hand.

use serde_json::{Value, json};

use crate::model::{COLUMNS, GridPos, Panel, SourceRef, Target};

/// How figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Count,
    ItemsPerSecond,
    /// 0 to 1, shown as percent with three decimals.
    Ratio,
    RequestsPerSecond,
    Seconds,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Count => "short",
            Self::ItemsPerSecond => "cps",
            Self::Ratio => "percentunit",
            Self::RequestsPerSecond => "reqps",
            Self::Seconds => "s",
        }
    }

    fn defaults(self, no_value: &str) -> Value {
        let mut defaults = json!({"unit": self.name(), "noValue": no_value});
        if self == Self::Ratio {
            defaults["decimals"] = json!(3);
            defaults["max"] = json!(1);
        }
        defaults
    }
}

/// What a panel shows and says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    pub(crate) unit: Unit,
    /// What to do when there is nothing to show.
    pub(crate) no_value: &'static str,
}

/// For panels about requests.
pub(crate) const NO_REQUESTS: &str = "no requests in this range: widen the time range or the selection";
/// For panels about the daemon.
pub(crate) const NO_SCRAPE: &str = "no samples: check that Prometheus scrapes /metrics of Bailiwick";

/// A query over time, with the name of each series.
pub(crate) fn over_time(expr: String, legend: &'static str) -> Target {
    Target {
        ref_id: String::new(),
        datasource: SourceRef::variable(),
        expr,
        legend_format: legend,
        instant: false,
        range: true,
        exemplar: false,
        format: "time_series",
    }
}

/// The same with exemplars: points that lead to a trace.
pub(crate) fn with_exemplars(expr: String, legend: &'static str) -> Target {
    Target { exemplar: true, ..over_time(expr, legend) }
}

/// A query for the present value as rows.
pub(crate) fn rows(expr: String) -> Target {
    Target { instant: true, range: false, format: "table", ..over_time(expr, "") }
}

/// One figure of the present.
pub(crate) fn stat(words: Words, expr: String) -> Panel {
    let target = Target { instant: true, range: false, ..over_time(expr, "") };
    let options = json!({
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
        "colorMode": "none", "graphMode": "none", "textMode": "value", "justifyMode": "auto",
    });
    panel("stat", words, vec![target], options)
}

/// Lines over time.
pub(crate) fn lines(words: Words, targets: Vec<Target>) -> Panel {
    let options = json!({
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true},
        "tooltip": {"mode": "multi", "sort": "desc"},
    });
    panel("timeseries", words, targets, options)
}

/// A heat map of classic buckets.
pub(crate) fn heat_map(words: Words, expr: String) -> Panel {
    let target = Target { format: "heatmap", ..over_time(expr, "{{le}}") };
    let options = json!({
        "calculate": false,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Blues", "steps": 64, "exponent": 0.5, "reverse": false},
        "yAxis": {"axisPlacement": "left", "unit": words.unit.name()},
        "cellValues": {"unit": "short"},
        "legend": {"show": true},
        "tooltip": {"mode": "single"},
    });
    panel("heatmap", words, vec![target], options)
}

/// A column of a table: the query's letter, its heading, its unit.
pub(crate) type Column = (&'static str, &'static str, Unit);

/// A table that joins its queries by label; rows sorted by `sorted_by` as `descending` says.
pub(crate) fn table(words: Words, targets: Vec<Target>, columns: &[Column], sorted: (&str, bool)) -> Panel {
    let mut renamed = serde_json::Map::new();
    let mut overrides = Vec::new();
    for (letter, heading, unit) in columns {
        renamed.insert(format!("Value #{letter}"), json!(heading));
        let defaults = unit.defaults(words.no_value);
        let properties: Vec<_> = ["unit", "decimals"]
            .iter()
            .filter(|id| !defaults[**id].is_null())
            .map(|id| json!({"id": id, "value": defaults[*id]}))
            .collect();
        overrides.push(json!({"matcher": {"id": "byName", "options": heading}, "properties": properties}));
    }
    let options = json!({"showHeader": true, "sortBy": [{"displayName": sorted.0, "desc": sorted.1}]});
    let mut panel = panel("table", words, targets, options);
    panel.field_config["overrides"] = json!(overrides);
    panel.transformations = vec![
        json!({"id": "merge", "options": {}}),
        json!({"id": "organize", "options": {"excludeByName": {"Time": true}, "renameByName": renamed}}),
    ];
    panel
}

/// Makes the column `heading` of a table lead somewhere.
pub(crate) fn link_column(panel: &mut Panel, heading: &str, title: &str, url: &str) {
    let links = json!([{"id": "links", "value": [{"title": title, "url": url}]}]);
    let cells = json!({"matcher": {"id": "byName", "options": heading}, "properties": links});
    if let Some(overrides) = panel.field_config["overrides"].as_array_mut() {
        overrides.push(cells);
    }
}

fn panel(kind: &'static str, words: Words, targets: Vec<Target>, options: Value) -> Panel {
    let targets = (b'A'..).zip(targets);
    Panel {
        id: 0,
        kind,
        title: words.title,
        description: words.description,
        grid_pos: GridPos { h: 0, w: 0, x: 0, y: 0 },
        datasource: Some(SourceRef::variable()),
        targets: targets.map(|(letter, target)| Target { ref_id: char::from(letter).to_string(), ..target }).collect(),
        field_config: json!({"defaults": words.unit.defaults(words.no_value), "overrides": []}),
        options,
        transformations: Vec::new(),
    }
}

/// Lays panels out in rows.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    panels: Vec<Panel>,
    x: u32,
    y: u32,
    row_height: u32,
}

impl Layout {
    /// A heading over what follows.
    pub(crate) fn heading(mut self, title: &'static str) -> Self {
        self.wrap();
        let place = GridPos { h: 1, w: COLUMNS, x: 0, y: self.y };
        let heading = Panel {
            id: self.next_id(),
            kind: "row",
            title,
            description: "",
            grid_pos: place,
            datasource: None,
            targets: Vec::new(),
            field_config: Value::Null,
            options: Value::Null,
            transformations: Vec::new(),
        };
        self.panels.push(heading);
        self.y += 1;
        self
    }

    /// A panel of this width and height, in the next row when this one is full.
    pub(crate) fn put(mut self, (w, h): (u32, u32), panel: Panel) -> Self {
        if self.x + w > COLUMNS {
            self.wrap();
        }
        let grid_pos = GridPos { h, w, x: self.x, y: self.y };
        self.panels.push(Panel { id: self.next_id(), grid_pos, ..panel });
        self.x += w;
        self.row_height = self.row_height.max(h);
        self
    }

    /// The panels in their places.
    pub(crate) fn panels(self) -> Vec<Panel> {
        self.panels
    }

    fn wrap(&mut self) {
        self.y += self.row_height;
        (self.x, self.row_height) = (0, 0);
    }

    fn next_id(&self) -> u32 {
        u32::try_from(self.panels.len()).unwrap_or(u32::MAX).saturating_add(1)
    }
}
