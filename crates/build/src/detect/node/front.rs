//! Front ends: the tools that build them, and where their files end up.

use std::sync::LazyLock;

use regex::Regex;

use crate::detect::folder::Folder;
use crate::detect::node::package::Package;

/// A tool that turns a front end into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tool {
    /// Its package.
    pub(super) package: &'static str,
    /// What builds when package.json has no `build` script.
    pub(super) build: &'static str,
    /// Where its files end up.
    output: &'static str,
    /// Its setting for another folder, and the files that may have it.
    setting: Option<(&'static str, &'static [&'static str])>,
}

const fn tool(package: &'static str, build: &'static str, output: &'static str) -> Tool {
    Tool {
        package,
        build,
        output,
        setting: None,
    }
}

const VITE_FILES: &[&str] = &[
    "vite.config.js",
    "vite.config.ts",
    "vite.config.mjs",
    "vite.config.mts",
];

/// Tools by their package; one that uses another comes before it. Sources: their documentation.
const TOOLS: [Tool; 14] = [
    tool("astro", "astro build", "dist"),
    tool("gatsby", "gatsby build", "public"),
    tool("@11ty/eleventy", "eleventy", "_site"),
    tool("@docusaurus/core", "docusaurus build", "build"),
    tool("vitepress", "vitepress build", ".vitepress/dist"),
    tool("react-scripts", "react-scripts build", "build"),
    tool("@vue/cli-service", "vue-cli-service build", "dist"),
    tool("@angular/cli", "ng build", "dist"),
    tool("@sveltejs/adapter-static", "vite build", "build"),
    Tool {
        package: "vite",
        build: "vite build",
        output: "dist",
        setting: Some(("outDir", VITE_FILES)),
    },
    tool("parcel", "parcel build index.html", "dist"),
    tool("parcel-bundler", "parcel build index.html", "dist"),
    tool("webpack", "webpack --mode production", "dist"),
    tool("esbuild", "", "dist"),
];

/// Commands that serve a front end while it is written, or its finished files.
const DEVELOPMENT: [&str; 20] = [
    "vite",
    "vite preview",
    "vite dev",
    "react-scripts start",
    "vue-cli-service serve",
    "ng serve",
    "parcel",
    "astro dev",
    "astro preview",
    "gatsby develop",
    "gatsby serve",
    "webpack serve",
    "webpack-dev-server",
    "serve",
    "http-server",
    "live-server",
    "lite-server",
    "eleventy --serve",
    "vitepress dev",
    "browser-sync",
];

static OUT_DIR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\boutDir\s*:\s*["']([\w./-]+)["']"#).expect("a fixed pattern"));

/// The tool that builds the front end, if package.json names one.
pub(super) fn tool_of(package: &Package) -> Option<Tool> {
    TOOLS.into_iter().find(|tool| package.has(tool.package))
}

/// Whether a command serves a front end for development, which the built files replace.
pub(super) fn is_development(command: &str) -> bool {
    let last = command.rsplit("&&").next().unwrap_or(command).trim();
    let words: Vec<&str> = last
        .split_whitespace()
        .filter(|word| !word.contains('='))
        .collect();
    DEVELOPMENT.iter().any(|dev| {
        let dev: Vec<&str> = dev.split_whitespace().collect();
        match dev.as_slice() {
            ["vite"] => words.first() == Some(&"vite") && words.get(1) != Some(&"build"),
            dev => words.starts_with(dev) && words.get(dev.len()) != Some(&"build"),
        }
    })
}

impl Tool {
    /// Folders, relative to the app's, where the files may be; the first that has a page counts.
    pub(super) fn outputs(&self, folder: &Folder) -> Vec<String> {
        let set = self.setting.and_then(|(_, files)| {
            let text = files.iter().find_map(|file| folder.text(file))?;
            let found = OUT_DIR.captures(&text)?;
            inside(&found[1])
        });
        let usual = [self.output, "dist", "build", "out", "public"];
        let mut outputs: Vec<String> = set.into_iter().collect();
        for output in usual {
            if !outputs.iter().any(|known| known == output) {
                outputs.push(output.to_owned());
            }
        }
        outputs
    }
}

/// `path` without `./`, unless it leaves the folder.
fn inside(path: &str) -> Option<String> {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    model::snapshot::is_clean_path(path).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_servers_are_told_from_servers() {
        for (command, development) in [
            ("vite", true),
            ("vite --port 3000", true),
            ("vite build", false),
            ("react-scripts start", true),
            ("serve -s build", true),
            ("npx http-server", false),
            ("node server.js", false),
            ("tsc && vite preview", true),
            ("server", false),
            ("PORT=1 react-scripts start", true),
        ] {
            assert_eq!(is_development(command), development, "{command}");
        }
    }

    #[test]
    fn vites_own_output_folder_is_read_from_its_settings() {
        for (config, first) in [
            (
                "export default { build: { outDir: './public/app' } }",
                "public/app",
            ),
            (
                "export default { build: { outDir: '../server/static' } }",
                "dist",
            ),
            ("export default {}", "dist"),
        ] {
            let folder = Folder::from_files([("vite.config.js", config)]);
            let vite = TOOLS[9];
            assert_eq!(vite.outputs(&folder)[0], first, "{config}");
        }
    }
}
