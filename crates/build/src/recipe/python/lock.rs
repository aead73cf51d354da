//! The lock that is kept for an app: a pylock.toml (PEP 751), headed by what it was made from.

use model::Digest;

use crate::recipe::PythonPackages;

/// The name of the pin.
pub(super) const PIN: &str = "python.lock";
const HEAD: &str = "# mayfly: ";

/// Versions and hashes of all packages of an app, for one version of Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    /// Of Python: `3.13`.
    pub(super) python: String,
    /// Of what was asked for.
    pub(super) input: Digest,
    /// The pylock.toml.
    pub(super) text: String,
}

impl Lock {
    /// Reads a pin; `None` when it is none.
    pub(super) fn from_pin(pin: &[u8]) -> Option<Self> {
        let pin = std::str::from_utf8(pin).ok()?;
        let (head, text) = pin.strip_prefix(HEAD)?.split_once('\n')?;
        let (python, input) = head.split_once(' ')?;
        Some(Self {
            python: python.to_owned(),
            input: input.parse().ok()?,
            text: text.to_owned(),
        })
    }

    /// Writes it as a pin.
    pub(super) fn to_pin(&self) -> Vec<u8> {
        format!("{HEAD}{} {}\n{}", self.python, self.input, self.text).into_bytes()
    }

    /// How many packages it names.
    pub(super) fn packages(&self) -> usize {
        self.text.matches("[[packages]]").count()
    }
}

/// The identity of what an app asks for.
pub(super) fn input_of(packages: &PythonPackages, uv_lock: Option<&[u8]>) -> Digest {
    let asked = match packages {
        PythonPackages::None => String::new(),
        PythonPackages::Listed { lines, .. } => lines.join("\n"),
        PythonPackages::UvLock { added } => {
            let lock = Digest::of(uv_lock.unwrap_or_default());
            format!("uv.lock {lock}\n{}", added.join("\n"))
        }
    };
    Digest::of(asked.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let lock = Lock {
            python: "3.13".into(),
            input: Digest::of(b"flask"),
            text: "lock-version = \"1.0\"\n[[packages]]\nname = \"flask\"\n".into(),
        };
        assert_eq!(Lock::from_pin(&lock.to_pin()), Some(lock.clone()));
        assert_eq!(lock.packages(), 1);
        for bad in [
            "",
            "# mayfly: 3.13\nx",
            "# other\n",
            "# mayfly: 3.13 sha256:0\nx",
        ] {
            assert_eq!(Lock::from_pin(bad.as_bytes()), None, "{bad}");
        }
    }
}
