//! One walk over the events of a YAML document: its value, and for every path its line and column.
//!
//! What YAML makes easy to get wrong is refused here, with both places where there are two: duplicate keys, merges,
//! tags, several documents, exploding anchors, endless nesting, numbers that are none. Nothing recurses.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as Range};
use serde_json::{Map, Number, Value};

use super::diagnose::{Diagnostic, shortened};

const DEPTH_MAX: usize = 64;
const NODES_MAX: usize = 2_000_000;
const ALIASED_NODES_MAX: usize = 100_000;
const KEY_LENGTH_MAX: usize = 300;
/// Beyond this the places of further paths are not kept; their findings are shown at the parent.
const PATH_BYTES_MAX: usize = 64 << 20;

/// A place in the text: line and column from 1, and the width in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
}

impl Place {
    fn of(range: Range) -> Place {
        let one_line = range.start.line() == range.end.line();
        let width = if one_line { range.end.col().saturating_sub(range.start.col()) } else { 1 };
        Place { line: range.start.line().max(1), column: range.start.col() + 1, width: width.max(1) }
    }
}

/// Where the key and the value of a path are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Place,
    pub(crate) value: Place,
}

/// The places of all paths.
pub(crate) type Places = BTreeMap<String, Entry>;

/// The path of a key below `path`.
pub(crate) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The path of an item of a list.
pub(crate) fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// Reads a document. An empty one is `None`.
pub(crate) fn read(file: &str, text: &str) -> Result<(Option<Value>, Places), Diagnostic> {
    let mut walk = Walk { file, text, ..Walk::default() };
    let mut parser = Parser::new_from_str(text);
    loop {
        match parser.next_event() {
            None => break,
            Some(Ok((Event::StreamEnd, _))) => break,
            Some(Ok((event, range))) => walk.on(event, range)?,
            Some(Err(error)) => {
                let place = Place { line: error.marker().line().max(1), column: error.marker().col() + 1, width: 1 };
                // The parser has a limit of its own, which it meets while it reads ahead.
                if error.info().contains("recursion limit") {
                    return Err(walk.too_deep(place));
                }
                let mut found = walk.error(place, format!("this is no YAML: {}", error.info()));
                let indent = found.line_text.len() - found.line_text.trim_start().len();
                if found.line_text[..indent].contains('\t') {
                    found = found.with_help("indent with spaces: YAML knows no tabs there");
                } else if found.line_text.contains("{class=") {
                    found = found.with_help("quote a text with braces: \"wait.p95{class=sync} < 45s\"");
                }
                return Err(found);
            }
        }
    }
    Ok((walk.root, walk.places))
}

enum Holder {
    Map { map: Map<String, Value>, keys: BTreeMap<String, Place>, key: Option<String> },
    Seq(Vec<Value>),
}

struct Frame {
    path: String,
    holder: Holder,
    anchor: usize,
    nodes_before: usize,
}

#[derive(Default)]
struct Walk<'a> {
    file: &'a str,
    text: &'a str,
    places: Places,
    path_bytes: usize,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, (Value, usize)>,
    nodes: usize,
    aliased_nodes: usize,
    documents: usize,
    root: Option<Value>,
}

impl Walk<'_> {
    fn error(&self, place: Place, message: impl Into<String>) -> Diagnostic {
        let mut found = Diagnostic::error(self.file, message).at(self.text, place.line, place.column, place.width);
        if let Some(frame) = self.stack.last() {
            found.path = frame.path.clone();
        }
        found
    }

    fn on(&mut self, event: Event<'_>, range: Range) -> Result<(), Diagnostic> {
        let place = Place::of(range);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self
                        .error(place, "a second document begins here: a file holds one scenario")
                        .with_help("put it into a file of its own, or remove the `---`"));
                }
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                if self.takes_key() {
                    return self.key(&text, style, place);
                }
                self.visit(place)?;
                let value = match style {
                    ScalarStyle::Plain => plain(&text).map_err(|message| self.at_value(place, message))?,
                    ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => Value::String(text.into_owned()),
                };
                if anchor > 0 {
                    self.anchors.insert(anchor, (value.clone(), 1));
                }
                self.put(value);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                self.open(Holder::Seq(Vec::new()), anchor, place)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                self.open(Holder::Map { map: Map::new(), keys: BTreeMap::new(), key: None }, anchor, place)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close();
                Ok(())
            }
        }
    }

    fn refuse_tag(&self, tagged: bool, place: Place) -> Result<(), Diagnostic> {
        if tagged {
            return Err(self
                .error(place, "a tag (`!…`) means nothing here")
                .with_help("a variant is a map with one key, like {exponential: {mean: 4h}}"));
        }
        Ok(())
    }

    fn takes_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { holder: Holder::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, text: &str, style: ScalarStyle, place: Place) -> Result<(), Diagnostic> {
        if text == "<<" && style == ScalarStyle::Plain {
            return Err(self
                .error(place, "`<<` does not merge here")
                .with_help("write the keys out, or use an alias for a whole value"));
        }
        if text.len() > KEY_LENGTH_MAX || text.is_empty() {
            return Err(self.error(place, format!("`{}` is no key", shortened(text))));
        }
        let frame = self.stack.last_mut().expect("a key lies in a map");
        let Holder::Map { keys, key, .. } = &mut frame.holder else { return Ok(()) };
        if let Some(first) = keys.insert(text.to_owned(), place) {
            let path = below(&frame.path, text);
            let mut found = self
                .error(
                    place,
                    format!("the key `{text}` is given twice: first in line {}, column {}", first.line, first.column),
                )
                .with_help("keep one of them");
            found.path = path;
            return Err(found);
        }
        *key = Some(text.to_owned());
        Ok(())
    }

    /// The path and the place of the key of the value that comes next.
    fn next_path(&self) -> (String, Option<Place>) {
        match self.stack.last() {
            None => (String::new(), None),
            Some(Frame { path, holder: Holder::Seq(items), .. }) => (item(path, items.len()), None),
            Some(Frame { path, holder: Holder::Map { keys, key, .. }, .. }) => {
                let key = key.as_deref().unwrap_or("");
                (below(path, key), keys.get(key).copied())
            }
        }
    }

    fn at_value(&self, place: Place, message: String) -> Diagnostic {
        let mut found = self.error(place, message);
        found.path = self.next_path().0;
        found
    }

    /// Counts a node and keeps its place.
    fn visit(&mut self, place: Place) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(self.error(place, format!("more than {NODES_MAX} values: this is no scenario")));
        }
        let (path, key) = self.next_path();
        self.path_bytes += path.len();
        if self.path_bytes <= PATH_BYTES_MAX {
            self.places.insert(path, Entry { key: key.unwrap_or(place), value: place });
        }
        Ok(())
    }

    fn open(&mut self, holder: Holder, anchor: usize, place: Place) -> Result<(), Diagnostic> {
        if self.takes_key() {
            return Err(self
                .error(place, "a key must be a word, not a list or a map")
                .with_help("is a quote missing?"));
        }
        if self.stack.len() >= DEPTH_MAX {
            return Err(self.too_deep(place));
        }
        self.visit(place)?;
        let (path, _) = self.next_path();
        self.stack.push(Frame { path, holder, anchor, nodes_before: self.nodes + self.aliased_nodes - 1 });
        Ok(())
    }

    fn too_deep(&self, place: Place) -> Diagnostic {
        let mut found = self.error(place, format!("nested deeper than {DEPTH_MAX} levels"));
        found.path.clear();
        found.with_help("no scenario needs so many: is a bracket missing?")
    }

    fn close(&mut self) {
        let Some(frame) = self.stack.pop() else { return };
        let value = match frame.holder {
            Holder::Map { map, .. } => Value::Object(map),
            Holder::Seq(items) => Value::Array(items),
        };
        if frame.anchor > 0 {
            let nodes = self.nodes + self.aliased_nodes - frame.nodes_before;
            self.anchors.insert(frame.anchor, (value.clone(), nodes));
        }
        self.put(value);
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Diagnostic> {
        if self.takes_key() {
            return Err(self.error(place, "an alias cannot be a key"));
        }
        self.visit(place)?;
        let Some(nodes) = self.anchors.get(&anchor).map(|(_, nodes)| *nodes) else {
            return Err(self.at_value(place, "this alias lies within its own anchor, or the anchor is missing".into()));
        };
        self.aliased_nodes += nodes;
        if self.aliased_nodes > ALIASED_NODES_MAX {
            return Err(self
                .at_value(place, format!("aliases expand to more than {ALIASED_NODES_MAX} values"))
                .with_help("write the values out, or use fewer aliases of aliases"));
        }
        let value = self.anchors[&anchor].0.clone();
        self.put(value);
        Ok(())
    }

    fn put(&mut self, value: Value) {
        match self.stack.last_mut() {
            None => self.root = Some(value),
            Some(Frame { holder: Holder::Seq(items), .. }) => items.push(value),
            Some(Frame { holder: Holder::Map { map, key, .. }, .. }) => {
                if let Some(key) = key.take() {
                    map.insert(key, value);
                }
            }
        }
    }
}

/// A plain scalar by the core schema of YAML 1.2: `no` is a word, `1e3` a number.
pub(crate) fn plain(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(format!("`{text}` is no number that a scenario can use: write a finite one"));
    }
    // A digest is 32 digits and letters, and may happen to look like a number.
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || text.len() >= 32 {
        return Ok(Value::String(text.to_owned()));
    }
    let whole = text.strip_prefix('+').unwrap_or(text);
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(number) = whole.parse::<u64>() {
            return Ok(number.into());
        }
        if let Ok(number) = whole.parse::<i64>() {
            return Ok(number.into());
        }
    }
    if !unsigned.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return Ok(Value::String(text.to_owned()));
    }
    match text.parse::<f64>() {
        Ok(number) => Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("`{}` is too large a number", shortened(text))),
        Err(_) => Ok(Value::String(text.to_owned())),
    }
}
