//! From Rego to bytecode.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::policy::EntryPoint;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::Program;
use regorus::unstable::{BUILTINS, Module, Ref};
use regorus::{Engine, Rc};

use crate::ast;
use crate::limits::Limits;
use crate::load::{Policies, PolicyError};
use crate::nesting::too_deep;
use crate::sources::Sources;
use crate::spelled::spelled_out;

const UNSTEADY: &str = "the same question must have the same answer";
const UNBOUNDED: &str = "its result can be of any size";

/// Builtins that no policy may use.
const FORBIDDEN: [(&str, &str); 7] = [
    ("time.now_ns", UNSTEADY),
    ("rand.intn", UNSTEADY),
    ("uuid.rfc4122", UNSTEADY),
    ("opa.runtime", UNSTEADY),
    ("numbers.range", UNBOUNDED),
    ("numbers.range_step", UNBOUNDED),
    ("bits.lsh", UNBOUNDED),
];

/// Parses, checks and compiles.
pub(crate) fn compile(sources: Sources, limits: Limits) -> Result<Policies, PolicyError> {
    let parsed = parsed(&sources)?;
    let spelled = spelled(&parsed);
    let mut engine = engine(&spelled, &limits)?;
    let modules = engine.get_modules().clone();
    let entries = entries(&modules)?;
    modules.iter().try_for_each(|module| allow(module))?;
    if let Some((rule, file, line)) = ast::recursive(&modules) {
        return Err(PolicyError::Recursive { rule, file, line });
    }
    if let Some((path, file, line)) = ast::dangling(&modules) {
        return Err(PolicyError::Dangling { path, file, line });
    }
    let program = program(&mut engine, &entries)?;
    check_tests(&parsed, &modules)?;
    Ok(Policies {
        digest: sources.digest(),
        definitions: ast::definitions(&modules),
        sources,
        spelled,
        limits,
        program,
        entries,
        engine,
    })
}

/// One file, read.
struct Parsed<'a> {
    file: &'a str,
    text: &'a str,
    module: Ref<Module>,
}

/// All files; fails for the first one that is no Rego.
fn parsed(sources: &Sources) -> Result<Vec<Parsed<'_>>, PolicyError> {
    let files = sources.rules().chain(sources.tests());
    let parsed = files.map(|(file, text)| {
        let module = parse(file, text)?;
        Ok(Parsed { file, text, module })
    });
    parsed.collect()
}

/// The files as the interpreter needs them.
fn spelled(parsed: &[Parsed<'_>]) -> Sources {
    let mut once = BTreeSet::new();
    let packages = parsed.iter().map(|one| ast::package(&one.module));
    let wide: BTreeSet<String> = packages.filter(|one| !once.insert(one.clone())).collect();
    let spelled = parsed.iter().map(|one| {
        let text = spelled_out(one.text, &one.module, &wide);
        (one.file.to_owned(), text)
    });
    spelled.collect()
}

fn parse(file: &str, text: &str) -> Result<Ref<Module>, PolicyError> {
    if let Some(line) = too_deep(text) {
        let file = file.to_owned();
        return Err(PolicyError::TooDeep { file, line });
    }
    let mut engine = Engine::new();
    add(&mut engine, file, text)?;
    let module = engine.get_modules().first().cloned();
    module.ok_or_else(|| PolicyError::Parse {
        file: file.to_owned(),
        message: "there is no package in it".to_owned(),
    })
}

/// An interpreter that has read all rules.
fn engine(sources: &Sources, limits: &Limits) -> Result<Engine, PolicyError> {
    let mut engine = Engine::new();
    engine.set_rego_v0(false);
    engine.set_strict_builtin_errors(true);
    engine.set_execution_timer_config(limits.timer());
    // Else what a policy prints goes to the server's own output.
    engine.set_gather_prints(true);
    for (file, text) in sources.rules() {
        add(&mut engine, file, text)?;
    }
    Ok(engine)
}

/// Reads one more file.
pub(crate) fn add(engine: &mut Engine, file: &str, text: &str) -> Result<(), PolicyError> {
    let added = engine.add_policy(file.to_owned(), text.to_owned());
    added.map(drop).map_err(|error| PolicyError::Parse {
        file: file.to_owned(),
        message: told(&error),
    })
}

/// The entry points; at least one of them can deny.
fn entries(modules: &[Ref<Module>]) -> Result<Vec<(EntryPoint, String)>, PolicyError> {
    if let Some((entry, file, line)) = ast::odd_entry_point(modules) {
        return Err(PolicyError::NotASet { entry, file, line });
    }
    let entries: Vec<_> = (ast::entry_points(modules).into_iter())
        .map(|(entry, package)| (entry, format!("data.{package}.{}", entry.as_str())))
        .collect();
    let denies = entries.iter().any(|(entry, _)| *entry == EntryPoint::Deny);
    denies.then_some(entries).ok_or(PolicyError::NoDeny)
}

/// Refuses builtins by which an answer would depend on more than its question.
fn allow(module: &Module) -> Result<(), PolicyError> {
    let called = ast::called(module);
    let forbidden = FORBIDDEN.iter().find(|(name, _)| called.contains(*name));
    forbidden.map_or(Ok(()), |(name, why)| {
        Err(PolicyError::Forbidden {
            builtin: (*name).to_owned(),
            why,
        })
    })
}

fn program(
    engine: &mut Engine,
    entries: &[(EntryPoint, String)],
) -> Result<Arc<Program>, PolicyError> {
    let failed = |message| PolicyError::Compile { message };
    let paths: Vec<&str> = entries.iter().map(|(_, path)| path.as_str()).collect();
    let first: Rc<str> = paths[0].into();
    let policy = engine.compile_with_entrypoint(&first);
    let policy = policy.map_err(|error| failed(told(&error)))?;
    Compiler::compile_from_policy(&policy, &paths).map_err(|error| failed(error.to_string()))
}

/// Tests run by the interpreter, which would pass an unknown builtin that it never reaches.
fn check_tests(parsed: &[Parsed<'_>], modules: &[Ref<Module>]) -> Result<(), PolicyError> {
    let tests = parsed.iter().filter(|one| Sources::is_test(one.file));
    for one in tests {
        allow(&one.module)?;
        check_calls(one.file, &one.module, modules)?;
    }
    Ok(())
}

fn check_calls(file: &str, module: &Module, modules: &[Ref<Module>]) -> Result<(), PolicyError> {
    let package = ast::package(module);
    let beside = modules
        .iter()
        .filter(|other| ast::package(other) == package);
    let mut known: BTreeSet<String> = beside.flat_map(|other| ast::rule_names(other)).collect();
    known.extend(ast::rule_names(module));
    let mut roots: BTreeSet<_> = ast::imports_of(module).into_keys().collect();
    roots.insert("data".to_owned());
    let is_known = |name: &&String| {
        let root = name.split('.').next().unwrap_or_default();
        let is_builtin = *name == "print" || BUILTINS.contains_key(name.as_str());
        is_builtin || known.contains(*name) || roots.contains(root)
    };
    match ast::called(module).iter().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => Err(PolicyError::UnknownCall {
            file: file.to_owned(),
            name: name.clone(),
        }),
    }
}

/// An error in one line.
pub(crate) fn told(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" ")
}
