//! What a person types, taken apart without ever failing.

/// The parts of what was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    text: String,
}

impl Words {
    /// Takes apart what was typed; every string is a valid query.
    pub fn parse(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// The same, but words match others that differ in a letter or two.
    #[must_use]
    pub fn fuzzy(self) -> Self {
        todo!()
    }

    /// What to embed: the words without signs and without what is excluded; empty if nothing is left.
    pub fn to_embed(&self) -> String {
        todo!()
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}
