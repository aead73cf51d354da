//! Which file of the app an import means.

use rustc_hash::FxHashMap as HashMap;

use crate::ir::Tongue;

/// The app's files by the names that imports use.
pub(crate) struct Linker {
    by_path: HashMap<String, u32>,
    by_dotted: HashMap<String, u32>,
}

const EXTENSIONS: [&str; 8] = [
    ".js", ".ts", ".tsx", ".jsx", ".mjs", ".cjs", ".vue", ".svelte",
];

impl Linker {
    /// Of the files at `paths`.
    pub(crate) fn new<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut linker = Self {
            by_path: HashMap::default(),
            by_dotted: HashMap::default(),
        };
        for (number, path) in paths.enumerate() {
            linker.by_path.insert(path.to_owned(), number as u32);
            if let Some(stem) = path.strip_suffix(".py") {
                let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
                let dotted = stem.replace('/', ".");
                // A folder above may be the root that Python starts in.
                let mut rest = dotted.as_str();
                linker.by_dotted.insert(dotted.clone(), number as u32);
                while let Some((_, below)) = rest.split_once('.') {
                    linker
                        .by_dotted
                        .entry(below.to_owned())
                        .or_insert(number as u32);
                    rest = below;
                }
            }
        }
        linker
    }

    /// The file that `from` means by `module`.
    pub(crate) fn resolve(&self, tongue: Tongue, from: &str, module: &str) -> Option<u32> {
        match tongue {
            Tongue::Python => self.by_dotted.get(module).copied(),
            Tongue::JavaScript => self.script(from, module),
        }
    }

    fn script(&self, from: &str, module: &str) -> Option<u32> {
        let base = if let Some(rest) = module.strip_prefix("@/").or(module.strip_prefix("~/")) {
            return self
                .file(rest)
                .or_else(|| self.file(&format!("src/{rest}")));
        } else if module.starts_with('.') {
            let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
            normal(folder, module)
        } else {
            return None;
        };
        self.file(&base)
    }

    fn file(&self, base: &str) -> Option<u32> {
        if let Some(found) = self.by_path.get(base) {
            return Some(*found);
        }
        // TypeScript names the file that it compiles to.
        let stem = base.strip_suffix(".js").unwrap_or(base);
        let beside = EXTENSIONS
            .iter()
            .map(|extension| format!("{stem}{extension}"));
        let inside = EXTENSIONS
            .iter()
            .map(|extension| format!("{base}/index{extension}"));
        beside
            .chain(inside)
            .find_map(|path| self.by_path.get(&path).copied())
    }
}

fn normal(folder: &str, module: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in module.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_find_the_files_of_the_app() {
        let paths = [
            "src/db.js",
            "src/lib/index.ts",
            "app/models.py",
            "app/__init__.py",
            "lib/x.ts",
        ];
        let linker = Linker::new(paths.into_iter());
        for (tongue, from, module, expected) in [
            (Tongue::JavaScript, "src/app.js", "./db", Some(0)),
            (Tongue::JavaScript, "src/app.js", "./db.js", Some(0)),
            (Tongue::JavaScript, "src/a/app.js", "../lib", Some(1)),
            (Tongue::JavaScript, "src/app.js", "express", None),
            (Tongue::JavaScript, "pages/a.ts", "@/lib/x", Some(4)),
            (Tongue::Python, "main.py", "app.models", Some(2)),
            (Tongue::Python, "app/main.py", "models", Some(2)),
            (Tongue::Python, "main.py", "app", Some(3)),
            (Tongue::Python, "main.py", "flask", None),
        ] {
            assert_eq!(linker.resolve(tongue, from, module), expected, "{module}");
        }
    }
}
