//! Writes out the imports of packages that span several files.
//!
//! The interpreter of regorus 0.14.1 takes such a package for evaluated after its first file when it
//! is reached by an import's name: `import data.mayfly` and then `mayfly.deny` misses the rules of
//! all other files, and `data.mayfly.deny` does not. The bytecode does not have this fault.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Module};

use crate::ast;

/// The text of a module, with names of such packages written out. Lines stay where they are.
pub(crate) fn spelled_out(text: &str, module: &Module, wide: &BTreeSet<String>) -> String {
    let names = names(module, wide);
    let mut places = BTreeMap::new();
    if !names.is_empty() {
        ast::visit(module, &mut |expr| {
            let root = match expr {
                Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => refr,
                _ => return,
            };
            if let Expr::Var { span, .. } = &**root
                && let Some(package) = names.get(span.text())
            {
                places.insert(span.start as usize, (span.end as usize, package.clone()));
            }
        });
    }
    let mut spelled = text.to_owned();
    for (start, (end, package)) in places.into_iter().rev() {
        spelled.replace_range(start..end, &package);
    }
    spelled
}

/// What imports call the packages of `wide`.
fn names(module: &Module, wide: &BTreeSet<String>) -> BTreeMap<String, String> {
    let imports = ast::imports_of(module).into_iter();
    let wide = imports.filter(|(_, path)| {
        let package = path.strip_prefix("data.");
        package.is_some_and(|package| wide.contains(package))
    });
    wide.collect()
}
