//! The base images that there are, and the packages that they are made of.

/// A Debian release that bases are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// Debian 13: Python 3.13.
    Trixie,
    /// Debian 12: Python 3.11.
    Bookworm,
}

impl Suite {
    /// Its code name, as mirrors write it.
    pub fn codename(self) -> &'static str {
        match self {
            Self::Trixie => "trixie",
            Self::Bookworm => "bookworm",
        }
    }
}

/// A base image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BaseKind {
    /// CPython 3.13 with its standard library, compiled ahead.
    Python313,
    /// CPython 3.11 with its standard library, compiled ahead.
    Python311,
    /// The C and C++ libraries and a shell: what Node and programs that bring their own runtime
    /// need. The interpreter itself is a layer of its own.
    Libc,
    /// For builds only: compilers for native Node modules (gcc, g++, make, Python 3.13). Programs
    /// that it makes run on [`BaseKind::Libc`].
    Compiler,
    /// For builds only: the same compilers with the headers of Python 3.13, for Python packages
    /// that come as source. What it makes runs on [`BaseKind::Python313`].
    PythonCompiler313,
    /// The same for [`BaseKind::Python311`].
    PythonCompiler311,
}

/// What every base has: the C and C++ libraries, certificates, a shell and small tools.
const COMMON: [&str; 6] = [
    "base-files",
    "busybox",
    "ca-certificates",
    "dash",
    "libc6",
    "libstdc++6",
];
const PYTHON: [&str; 1] = ["python3"];
const PYTHON_COMPILER: [&str; 6] = [
    "g++",
    "gcc",
    "libc6-dev",
    "libpython3-dev",
    "make",
    "python3",
];
const COMPILER: [&str; 5] = ["g++", "gcc", "libc6-dev", "make", "python3"];

/// Packages that bases do without, though others depend on them: their work is done by maintainer
/// scripts, which never run, or by mayfly itself.
pub(super) const SKIPPED: [&str; 10] = [
    "awk",
    "debconf",
    "debconf-2.0",
    "dpkg",
    "install-info",
    "openssl",
    "perl",
    "perl-base",
    "readline-common",
    "tar",
];

impl BaseKind {
    /// The Debian release that it is made from.
    pub fn suite(self) -> Suite {
        match self {
            Self::Python311 | Self::PythonCompiler311 => Suite::Bookworm,
            Self::Python313 | Self::PythonCompiler313 | Self::Libc | Self::Compiler => {
                Suite::Trixie
            }
        }
    }

    /// The packages that it is made of, without those that they depend on.
    pub(super) fn packages(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::Python313 | Self::Python311 => &PYTHON,
            Self::Libc => &[],
            Self::Compiler => &COMPILER,
            Self::PythonCompiler313 | Self::PythonCompiler311 => &PYTHON_COMPILER,
        };
        COMMON.iter().chain(own).copied().collect()
    }

    /// The version of its Python, when apps run on it: `3.13`.
    pub fn python(self) -> Option<&'static str> {
        match self {
            Self::Python313 => Some("3.13"),
            Self::Python311 => Some("3.11"),
            Self::Libc | Self::Compiler | Self::PythonCompiler313 | Self::PythonCompiler311 => None,
        }
    }

    /// What people read: `python 3.13`.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Python313 => "python 3.13",
            Self::Python311 => "python 3.11",
            Self::Libc => "debian libraries",
            Self::Compiler => "compilers",
            Self::PythonCompiler313 => "compilers for python 3.13",
            Self::PythonCompiler311 => "compilers for python 3.11",
        }
    }
}
