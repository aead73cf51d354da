//! What a value can do where it arrives.

use std::ops::{BitAnd, BitOr, Not};

/// A set of harms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub(crate) struct Harms(pub(crate) u32);

impl Harms {
    /// None.
    pub(crate) const NONE: Self = Self(0);
    /// All.
    pub(crate) const ALL: Self = Self(u32::MAX);

    /// Those of both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `harm` is one of them.
    pub(crate) fn has(self, harm: Harm) -> bool {
        self.0 & harm.only().0 != 0
    }
}

impl BitOr for Harms {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Harms {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Harms {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

macro_rules! harms {
    ($($harm:ident $slug:literal,)*) => {
        /// One harm, and the rule that speaks of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(crate) enum Harm { $(#[doc = $slug] $harm,)* }

        impl Harm {
            /// The name of its rule, behind the language.
            pub(crate) fn slug(self) -> &'static str {
                match self { $(Self::$harm => $slug,)* }
            }
        }
    };
}

harms! {
    Sql "sql-injection",
    Command "command-injection",
    Code "code-injection",
    Html "html-injection",
    Dom "dom-injection",
    Path "path-traversal",
    Ssrf "request-forgery",
    Redirect "open-redirect",
    Template "template-injection",
    Object "unsafe-deserialization",
    NoSql "nosql-injection",
    Ldap "ldap-injection",
    Xml "xml-entities",
    Regex "regex-injection",
    Prompt "prompt-injection",
    Header "header-injection",
    Prototype "prototype-pollution",
    Mass "mass-assignment",
    Import "dynamic-import",
    Archive "archive-extraction",
    Log "log-injection",
    Cors "cors-reflected",
}

impl Harm {
    /// The set of this harm alone.
    pub(crate) const fn only(self) -> Harms {
        Harms(1 << self as u8)
    }
}
