//! The path of a field in a mutation's input, including list indexes, for errors.

/// A step from a field to a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Item(usize),
    Field(&'static str),
}

/// The path of an input field. A plain field allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    field: &'static str,
    steps: Vec<Step>,
}

impl FieldPath {
    /// A top-level field of the input.
    #[must_use]
    pub const fn of(field: &'static str) -> Self {
        Self { field, steps: Vec::new() }
    }

    /// The path of a list item, by its index from 0.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        self.and(Step::Item(index))
    }

    /// The path of a field of this object.
    #[must_use]
    pub fn field(&self, name: &'static str) -> Self {
        self.and(Step::Field(name))
    }

    /// The same path within this object.
    #[must_use]
    pub fn join(&self, part: &Self) -> Self {
        let mut path = self.field(part.field);
        path.steps.extend_from_slice(&part.steps);
        path
    }

    /// The name of the first field.
    #[must_use]
    pub const fn root(&self) -> &'static str {
        self.field
    }

    fn and(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.steps.push(step);
        path
    }

    /// The name of the last field, without indexes.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let last = self.steps.iter().rev().find_map(|step| match step {
            Step::Field(name) => Some(*name),
            Step::Item(_) => None,
        });
        last.unwrap_or(self.field)
    }

    /// The segments of the path, as clients see them.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        let steps = self.steps.iter().map(|step| match step {
            Step::Item(index) => index.to_string(),
            Step::Field(name) => (*name).to_owned(),
        });
        std::iter::once(self.field.to_owned()).chain(steps).collect()
    }
}

impl From<&'static str> for FieldPath {
    fn from(field: &'static str) -> Self {
        Self::of(field)
    }
}

impl From<&Self> for FieldPath {
    fn from(path: &Self) -> Self {
        path.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_leads_to_the_field_of_an_item() {
        let path = FieldPath::of("products").item(7).field("name");
        assert_eq!(path.segments(), ["products", "7", "name"]);
        assert_eq!(
            (path.name(), path.item(1).name(), FieldPath::of("tags").item(0).name()),
            ("name", "name", "tags")
        );
    }
}
