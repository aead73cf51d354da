//! Places of a document: `vulnerabilities.list[3].severity`, and patterns of them, in which `[]`
//! stands for any element.

use std::fmt;

use serde_json::Value;

/// One step down into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// To an object's field.
    Field(String),
    /// To an array's element.
    Index(usize),
}

/// A place of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(pub(crate) Vec<Step>);

impl Place {
    pub(crate) fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// What is there.
    pub(crate) fn get<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Field(name) => value.get(name),
            Step::Index(at) => value.get(at),
        })
    }

    /// What is there, to be changed.
    pub(crate) fn get_mut<'v>(&self, document: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Field(name) => value.get_mut(name),
            Step::Index(at) => value.get_mut(at),
        })
    }

    /// The document without what is there; `None` when nothing is.
    pub(crate) fn removed_from(&self, document: &Value) -> Option<Value> {
        let (last, above) = self.0.split_last()?;
        let mut changed = document.clone();
        let parent = Self(above.to_vec());
        match (parent.get_mut(&mut changed)?, last) {
            (Value::Object(fields), Step::Field(name)) => drop(fields.remove(name)?),
            (Value::Array(items), Step::Index(at)) if *at < items.len() => drop(items.remove(*at)),
            _ => return None,
        }
        Some(changed)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// The places of `document` that a pattern stands for, at most `most` of them.
pub(crate) fn matching(pattern: &str, document: &Value, most: usize) -> Vec<Place> {
    let mut places = vec![Place::default()];
    for part in pattern.split('.') {
        let name = part.trim_end_matches("[]");
        let depth = (part.len() - name.len()) / 2;
        let steps = places.iter().map(|place| match name {
            "" => place.clone(),
            name => place.then(Step::Field(name.to_owned())),
        });
        places = steps.collect();
        for _ in 0..depth {
            let inside = |place: &Place| elements(place, document);
            places = places.iter().flat_map(inside).take(most).collect();
        }
    }
    places
}

fn elements(place: &Place, document: &Value) -> Vec<Place> {
    match place.get(document) {
        Some(Value::Array(items)) => {
            let indices = 0..items.len();
            indices.map(|at| place.then(Step::Index(at))).collect()
        }
        Some(Value::Object(fields)) => {
            let names = fields.keys().cloned();
            names.map(|name| place.then(Step::Field(name))).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pattern_stands_for_each_element_there_is() {
        let document = json!({"a": {"b": [{"c": 1}, {"d": 2}]}, "e": {"x": 1, "y": 2}});
        for (pattern, expected) in [
            ("a.b[].c", vec!["a.b[0].c", "a.b[1].c"]),
            ("a.b[]", vec!["a.b[0]", "a.b[1]"]),
            ("e[]", vec!["e.x", "e.y"]),
            ("f.g", vec!["f.g"]),
            ("f[]", vec![]),
        ] {
            let found = matching(pattern, &document, 10);
            let found: Vec<_> = found.iter().map(Place::to_string).collect();
            assert_eq!(found, expected, "{pattern}");
        }
        assert_eq!(matching("a.b[]", &document, 1).len(), 1);
    }

    #[test]
    fn what_is_removed_is_gone_and_what_is_not_there_cannot_be() {
        let document = json!({"a": [1, 2]});
        let place = Place(vec![Step::Field("a".into()), Step::Index(0)]);
        assert_eq!(place.removed_from(&document), Some(json!({"a": [2]})));
        let place = Place(vec![Step::Field("b".into())]);
        assert_eq!(place.removed_from(&document), None);
    }
}
